"""Registration plugins as the API shows them."""

from __future__ import annotations

import re

import msgspec

from waypost.catalog import models
from waypost.catalog.plugins import Plugin, all_plugins


class Filter(msgspec.Struct):
    """Regular expressions of the models that a plugin is for, or (``exclusion``) not."""

    exclusion: bool
    values: list[str]


class PluginObject(msgspec.Struct, kw_only=True):
    """A plugin; ``type`` is always ``tracker_register``."""

    id: int
    type: str
    ui_module: str
    module: str
    filter: Filter


def shown_plugins() -> list[PluginObject]:
    """Every plugin, in the order of the catalog."""
    apps = [
        re.escape(code)
        for code, model in models.all_models().items()
        if model.mobile and model.register
    ]
    return [_shown(plugin, apps) for plugin in all_plugins().values()]


def _shown(plugin: Plugin, apps: list[str]) -> PluginObject:
    what = "bundled_sim" if plugin.bundle else "mobile" if plugin.mobile else "device"
    name = f"{what}_with_code" if plugin.activation_code else what
    camel = "".join(word.capitalize() for word in name.split("_"))
    return PluginObject(
        id=plugin.id,
        type="tracker_register",
        ui_module=f"Registration.appPlugins.{camel}",
        module=f"waypost.plugin.tracker.register.{name}",
        filter=Filter(exclusion=not plugin.mobile, values=apps),
    )
