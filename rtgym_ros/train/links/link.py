"""What a way to the server is: a request goes there, its reply comes back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType

from typing_extensions import Self


class Link(ABC):
    """Carries requests to the server. Not thread-safe: one request at a time."""

    @abstractmethod
    def call(self, request: bytes, timeout_s: float) -> bytes:
        """Return the server's reply to ``request``.

        Args:
            request: an encoded message.
            timeout_s: how long to wait at most (s).

        Raises:
            LinkError: no reply came; whether the server has seen the request is unknown.
        """

    @abstractmethod
    def close(self) -> None:
        """Free what it holds; a second call does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
