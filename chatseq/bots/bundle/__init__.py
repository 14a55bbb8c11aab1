"""Bundles: trained bots on disk, each a folder that is whole or absent."""

from chatseq.bots.bundle.archive import export_bundle, import_bundle
from chatseq.bots.bundle.listing import (
    BundleListing,
    default_bot,
    list_bundles,
    remove_bundle,
    set_default_bot,
)
from chatseq.bots.bundle.manifest import CorpusRecord, FileRecord, Manifest
from chatseq.bots.bundle.names import bot_folder, check_name, find_bot, safe_name
from chatseq.bots.bundle.store import Bundle, open_bundle, use_bundle, write_bundle

__all__ = [
    "Bundle",
    "BundleListing",
    "CorpusRecord",
    "FileRecord",
    "Manifest",
    "bot_folder",
    "check_name",
    "default_bot",
    "export_bundle",
    "find_bot",
    "import_bundle",
    "list_bundles",
    "open_bundle",
    "remove_bundle",
    "safe_name",
    "set_default_bot",
    "use_bundle",
    "write_bundle",
]
