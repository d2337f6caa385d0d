"""Uploaded images: what they are is told by their content, not by their sender."""

from __future__ import annotations

import msgspec

from waypost.api.errors import ApiError
from waypost.api.wire import Upload
from waypost.store.files import StoredFile

#: Largest image, bytes.
LARGEST = 4 * 1024 * 1024

#: First bytes -> media type and suffix.
_KINDS = (
    (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
    (b"GIF87a", "image/gif", "gif"),
    (b"GIF89a", "image/gif", "gif"),
    (b"\x00\x00\x01\x00", "image/x-icon", "ico"),
)


class Image(msgspec.Struct, frozen=True):
    """An image to store."""

    suffix: str
    file: StoredFile


def read_image(upload: Upload | None, *, icon: bool = False) -> Image:
    """The image of an upload: PNG, JPEG, GIF or WebP, or (``icon``) ICO. Raises
    :class:`ApiError`: 233 where there is none, 234 for anything else, 271 for one that is too
    large."""
    if upload is None:
        raise ApiError(233)
    if len(upload.content) > LARGEST:
        raise ApiError(271)
    if upload.content[:4] == b"RIFF" and upload.content[8:12] == b"WEBP":
        return Image("webp", StoredFile("image/webp", upload.content))
    for start, media_type, suffix in _KINDS:
        if upload.content.startswith(start) and (icon or suffix != "ico"):
            return Image(suffix, StoredFile(media_type, upload.content))
    raise ApiError(234)
