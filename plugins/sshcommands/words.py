"""The formats that it adds, by their names; what reads and writes them is imported for who asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestra.plugin.vocabulary import ExporterSpec, ImporterSpec

if TYPE_CHECKING:
    from orchestra.plugin.interfaces import ExportRequest, Imported, ImportRequest

PACKAGE = "orchestra-tunnels"


class SshImporter:
    """``orchestra import ssh``."""

    spec = ImporterSpec(name="ssh", meaning="Command lines of ssh, with -J, -L, -R, -D and -W.", package=PACKAGE)

    def read(self, request: ImportRequest) -> Imported:
        """See :class:`orchestra.plugin.interfaces.Importer`."""
        from .commands import from_commands

        return from_commands(request)


def _config_fields() -> type[Any]:
    from .configs import Fields

    return Fields


class SshConfigImporter:
    """``orchestra import ssh-config``."""

    spec = ImporterSpec(
        name="ssh-config",
        meaning="ssh_config(5): the hosts that it names, their ProxyJump, LocalForward, RemoteForward, DynamicForward.",
        default="~/.ssh/config",
        fields=_config_fields,
        package=PACKAGE,
    )

    def read(self, request: ImportRequest) -> Imported:
        """See :class:`orchestra.plugin.interfaces.Importer`."""
        from .configs import from_config

        return from_config(request)


class PuttyImporter:
    """``orchestra import putty``."""

    spec = ImporterSpec(
        name="putty",
        meaning="PuTTY's saved sessions: a file of ~/.putty/sessions, or an exported registry key.",
        package=PACKAGE,
    )

    def read(self, request: ImportRequest) -> Imported:
        """See :class:`orchestra.plugin.interfaces.Importer`."""
        from .putty import from_putty

        return from_putty(request)


def _commands_fields() -> type[Any]:
    from .writing import Fields

    return Fields


class SshExporter:
    """``orchestra export ssh``."""

    spec = ExporterSpec(
        name="ssh",
        meaning="The commands of ssh, with -J, -L, -R and -D, that open the tunnels by hand.",
        fields=_commands_fields,
        package=PACKAGE,
    )

    def write(self, request: ExportRequest) -> str:
        """See :class:`orchestra.plugin.interfaces.Exporter`."""
        from .writing import to_commands

        return to_commands(request)
