"""The two streams: data goes to standard output, everything else to standard error."""

from __future__ import annotations

import json
import os
import select
import sys
import threading
from contextlib import contextmanager, suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TextIO

from orchestra.cli.exits import Exit
from orchestra.errors import OrchestraError
from orchestra.model.frozen import dataclass
from orchestra.render.style import Style, encodable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Colour(StrEnum):
    """When to colour."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


def wants_colour(choice: Colour, *, tty: bool, environ: Mapping[str, str]) -> bool:
    """Whether one stream is coloured: as asked for, else on terminals that know colour, unless NO_COLOR is not empty
    (https://no-color.org)."""
    if choice is not Colour.AUTO:
        return choice is Colour.ALWAYS
    return tty and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


@dataclass(frozen=True, slots=True)
class Channel:
    """One stream, and whether it is coloured."""

    stream: TextIO
    style: Style

    @classmethod
    def of(cls, stream: TextIO, choice: Colour, environ: Mapping[str, str]) -> Channel:
        """The channel for a stream; each stream is asked by itself whether it is a terminal."""
        return cls(stream, Style(wants_colour(choice, tty=stream.isatty(), environ=environ)))

    @property
    def is_terminal(self) -> bool:
        """Whether a person watches, on a terminal that can move its cursor."""
        return self.stream.isatty() and os.environ.get("TERM") != "dumb"

    def line(self, text: str) -> None:
        """Writes the text and a line break; symbols that the stream cannot encode are written in ASCII."""
        self.stream.write(encodable(text, self.stream.encoding or "utf-8") + "\n")


@dataclass(frozen=True, slots=True)
class Console:
    """What a command prints with."""

    out: Channel
    err: Channel
    quiet: bool = False
    verbosity: int = 0

    @classmethod
    def standard(cls, colour: Colour = Colour.AUTO, *, quiet: bool = False, verbosity: int = 0) -> Console:
        """The process's own streams, as they are now."""
        out, err = (Channel.of(stream, colour, os.environ) for stream in (sys.stdout, sys.stderr))
        return cls(out, err, quiet, verbosity)

    def data(self, text: str) -> None:
        """The result that was asked for; an empty text prints nothing."""
        if text:
            with self._writing():
                self.out.line(text)

    def json(self, document: Any) -> None:
        """The result as one JSON document, in ASCII so that no text in it can move a cursor."""
        self.data(json.dumps(document, indent=2))

    def say(self, text: str) -> None:
        """A message beside the result; not with ``-q``."""
        if text and not self.quiet:
            self.err.line(text)
            self.err.stream.flush()

    def detail(self, text: str) -> None:
        """A message that only ``-v`` shows."""
        if self.verbosity:
            self.say(text)

    def error(self, text: str) -> None:
        """Why there is no result; also with ``-q``."""
        self.out.stream.flush()
        self.err.line(text)
        self.err.stream.flush()

    def flush(self) -> None:
        """Hands on what is buffered, so that a reader who left is noticed in time. Raises as the methods that print."""
        with self._writing():
            self.out.stream.flush()
        self.err.stream.flush()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Raises OrchestraError when standard output cannot be written, and BrokenPipeError when nobody reads it."""
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            self.abandon()
            raise OrchestraError(f"cannot write the result: {error.strerror}") from error

    def end_with_reader(self) -> None:
        """From now on the process ends as soon as nobody reads standard output any more, also while there is nothing
        to write, as ``tail -f`` does: for commands that wait for more and hold nothing that is to be given back."""
        with suppress(OSError, ValueError):  # a stream without a descriptor is read in this process
            threading.Thread(target=_end_with_reader, args=(self.out.stream.fileno(),), daemon=True).start()

    def abandon(self) -> None:
        """Nobody reads standard output any more: what is still buffered goes nowhere, without a complaint at exit."""
        with suppress(OSError, ValueError):  # a stream without a descriptor has nothing to redirect
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.out.stream.fileno())
            os.close(null)


def _end_with_reader(sink: int) -> None:
    poll = select.poll()
    poll.register(sink, 0)  # these two are always told
    if any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll()):
        os._exit(Exit.FAILED)
