"""Which files are taken: the name says the type, the first bytes must not contradict it."""

from collections.abc import Callable
from io import BytesIO
from pathlib import PurePosixPath
from typing import Final
from zipfile import BadZipFile, ZipFile

from models.errors import ProblemItem, UnsupportedMediaType

_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
MIME_TYPES: Final = {
    "pdf": "application/pdf",
    "docx": f"{_OFFICE}.wordprocessingml.document",
    "pptx": f"{_OFFICE}.presentationml.presentation",
    "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    "csv": "text/csv",
    "html": "text/html",
    "md": "text/markdown",
    "txt": "text/plain",
    "json": "application/json",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
}


def mime_type_of(name: str, content: bytes) -> str:
    """The MIME type of a file; raises where its name or its bytes are not of a type we take."""
    extension = PurePosixPath(name).suffix.lower().removeprefix(".")
    if extension not in MIME_TYPES:
        accepted = ", ".join(MIME_TYPES)
        raise _refused(f"Files of this type are not taken; accepted are {accepted}.", name)
    if not _CHECKS.get(extension, _is_text)(content):
        raise _refused(f"The file is not what its name says: {extension}.", name)
    return MIME_TYPES[extension]


def _refused(detail: str, name: str) -> UnsupportedMediaType:
    return UnsupportedMediaType(
        detail, ProblemItem(location="form.file", message="Not accepted", value=name)
    )


def _starts_with(magic: bytes) -> Callable[[bytes], bool]:
    return lambda content: content.startswith(magic)


def _is_pdf(content: bytes) -> bool:
    # Readers accept a header anywhere in the first kilobyte, and some writers use that.
    return b"%PDF-" in content[:1024]


def _is_webp(content: bytes) -> bool:
    return content[:4] == b"RIFF" and content[8:12] == b"WEBP"


def _is_office(folder: str) -> Callable[[bytes], bool]:
    def check(content: bytes) -> bool:
        try:
            with ZipFile(BytesIO(content)) as archive:
                names = archive.namelist()
        # `zipfile` raises a RuntimeError for archives that need a newer unpacker than it is.
        except (BadZipFile, ValueError, OSError, RuntimeError):
            return False
        return "[Content_Types].xml" in names and any(name.startswith(folder) for name in names)

    return check


def _is_text(content: bytes) -> bool:
    return b"\x00" not in content


_CHECKS: Final[dict[str, Callable[[bytes], bool]]] = {
    "pdf": _is_pdf,
    "docx": _is_office("word/"),
    "pptx": _is_office("ppt/"),
    "xlsx": _is_office("xl/"),
    "png": _starts_with(b"\x89PNG\r\n\x1a\n"),
    "jpg": _starts_with(b"\xff\xd8\xff"),
    "jpeg": _starts_with(b"\xff\xd8\xff"),
    "webp": _is_webp,
}
