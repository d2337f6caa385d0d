"""``tracker/avatar/upload``: a tracker's picture."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError

from waypost.api.action import Own, UserCall, user_action
from waypost.api.errors import ApiError
from waypost.api.images import read_image
from waypost.api.params import RedirectTarget
from waypost.api.reply import Value
from waypost.api.wire import Upload
from waypost.fleet.avatars import set_avatar
from waypost.fleet.rows import TrackerRow
from waypost.store.engine import is_unavailable


@user_action(
    "tracker/avatar/upload",
    right="tracker_update",
    tracker=Own(live=True),
    errors=[233, 234, 254, 271],
)
async def upload(
    call: UserCall,
    tracker: TrackerRow,
    file: Upload | None = None,
    redirect_target: RedirectTarget | None = None,
) -> Value[str]:
    """Sets the tracker's picture (PNG, JPEG, GIF or WebP of up to 4 MB, in a multipart form); the
    name of the file, which is served under ``/static/tracker/avatars/``."""
    image = read_image(file)
    try:
        async with call.services.fleet.write() as write:
            tracker = await call.locked(write, tracker)
            name = await set_avatar(write, tracker, image.suffix, image.file, call.now)
    except SQLAlchemyError as error:
        if is_unavailable(error):
            raise
        raise ApiError(254) from error
    return Value(name)
