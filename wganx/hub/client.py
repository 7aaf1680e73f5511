"""The Hub's own client: found or named as missing, quiet where nobody watches, its errors in one line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from logging import ERROR
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import wganx
from wganx.errors import MissingExtra, UsageError, WganxError
from wganx.plain import printable

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

LOG_IN = "log in with hf auth login, or set HF_TOKEN"


def open_hub(endpoint: str | None = None) -> HfApi:
    """The client, for ``HF_ENDPOINT`` or another `endpoint`; it takes the token of its own login.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        from huggingface_hub import HfApi
    except ImportError as error:
        raise MissingExtra('the Hub is spoken to by huggingface_hub: pip install "wganx[hub]"') from error
    there = endpoint or os.environ.get("HF_ENDPOINT") or None
    return HfApi(endpoint=there and there.rstrip("/"), library_name="wganx", library_version=wganx.__version__)


def host(hub: HfApi) -> str:
    """Whom it speaks to, as people say it."""
    return urlsplit(hub.endpoint).netloc


def check_login(hub: HfApi) -> None:
    """Raise a `UsageError` where nobody is logged in; the token itself stays with the client."""
    from huggingface_hub import get_token

    if get_token() is None:
        raise UsageError(
            f"nobody is logged in to {host(hub)}, and sending needs it: {LOG_IN}, with a token that may write"
        )


@contextmanager
def speaking(hub: HfApi, repository: str, *, sending: bool) -> Iterator[None]:
    """Inside, whatever the client raises becomes one line that says what was wrong and the mend."""
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    # The client's HTTP library is another one with each of its major versions; its errors have this ancestor.
    transport: type[Exception] = HfHubHTTPError.__bases__[0]
    try:
        with _as_quiet_as_asked():
            yield
    except (WganxError, KeyboardInterrupt):
        raise
    except OfflineModeIsEnabled as error:
        raise UsageError(f"HF_HUB_OFFLINE is set, so nothing is sent to {host(hub)}; unset it") from error
    except LocalEntryNotFoundError as error:
        raise _unreachable(hub, repository, error) from error
    except RuntimeError as error:  # how a file that is sent fails in a thread
        cause = error.__cause__
        if not isinstance(cause, transport | OSError):
            raise WganxError(f"{host(hub)} did not take {repository}: {_reason(cause or error)}; try again") from error
        raise _in_words(hub, repository, cause, sending=sending) from error
    except (transport, OSError, ValueError) as error:
        raise _in_words(hub, repository, error, sending=sending) from error


@contextmanager
def _as_quiet_as_asked() -> Iterator[None]:
    """The client's own bars where a person watches, none elsewhere; its log says what is raised anyway."""
    from huggingface_hub.utils import logging
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    hushed = not (sys.stderr.isatty() or are_progress_bars_disabled())
    level = logging.get_verbosity()
    logging.set_verbosity(ERROR)
    if hushed:
        disable_progress_bars()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if hushed:
            enable_progress_bars()


def _unreachable(hub: HfApi, repository: str, error: Exception) -> WganxError:
    from huggingface_hub.constants import is_offline_mode

    if is_offline_mode():
        return UsageError(
            f"{repository} is not whole in the cache of the Hub, and HF_HUB_OFFLINE forbids to fetch it; unset it"
        )
    return WganxError(f"{repository} could not be fetched whole from {host(hub)}: {_reason(error)}; try again")


def _in_words(hub: HfApi, repository: str, error: BaseException, *, sending: bool) -> WganxError:
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

    there = host(hub)
    if isinstance(error, GatedRepoError):
        return UsageError(f"{repository} is gated: ask for access on its page at {there}, then {LOG_IN}")
    if isinstance(error, RevisionNotFoundError):
        return UsageError(
            f"{repository} has no such revision; its branches, tags and commits are on its page at {there}"
        )
    if isinstance(error, RepositoryNotFoundError):
        return UsageError(
            f"there is no model {repository} at {there} that you may see; check the spelling, and if it is private, "
            f"{LOG_IN}"
        )
    if isinstance(error, HfHubHTTPError):
        return _refused(there, repository, error, sending=sending)
    if isinstance(error, ValueError):
        return WganxError(f"{there} did not take {repository}: {_first(' '.join(str(error).split()))}")
    if "Consistency check failed" in str(error):
        return WganxError(f"a file of {repository} came cut short from {there}; try again")
    if isinstance(error, OSError) and error.errno is not None:
        return WganxError(f"{repository}: {error.strerror or error}: {error.filename or ''}".removesuffix(": "))
    if any(word in type(error).__name__ for word in ("Connect", "Proxy")):
        return WganxError(
            f"{there} cannot be reached ({_reason(error)}); check the network and HF_ENDPOINT, then try again"
        )
    return WganxError(f"{there} broke off before {repository} was through ({_reason(error)}); try again")


def _refused(there: str, repository: str, error: HfHubHTTPError, *, sending: bool) -> WganxError:
    status = error.response.status_code
    told = f": {_first(error.server_message)}" if error.server_message else ""
    if status == 401:
        return UsageError(f"{there} does not know the token of this login (any longer): {LOG_IN}")
    if status == 403:
        doing = "write to" if sending else "read"
        return UsageError(
            f"this login may not {doing} {repository} at {there}{told}; it takes a token with that right, of "
            f"{repository.partition('/')[0]} or of a member"
        )
    if status in (409, 412):
        return WganxError(f"{repository} was changed by someone else at the same time; try again")
    if status == 413:
        return WganxError(f"{there} does not take as much for {repository}{told}")
    if status == 429:
        return WganxError(f"{there} has had too many requests of this login; wait some minutes, then try again")
    if status >= 500:
        return WganxError(f"{there} failed ({status}){told}; it may be back in some minutes, then try again")
    return WganxError(f"{there} refused {repository} ({status}){told}")


def _reason(error: BaseException) -> str:
    return _first(str(error)) or type(error).__name__


def _first(text: object) -> str:
    lines = [line.strip() for line in str(text).splitlines() if line.strip()]
    return printable(lines[0])[:300] if lines else ""
