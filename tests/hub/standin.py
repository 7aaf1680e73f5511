"""The Hub's HTTP interface as far as wganx uses it, on loopback: repositories in memory, and faults on request.

Written after what huggingface_hub asks and reads: making a repository, its facts at a revision, the list of its files,
the check of a card, the way of each file (with a commit, or apart by git LFS), commits, and files by revision.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

TOKEN = "hf_ofAnna"
APART = (".safetensors", ".png", ".wav", ".pkl")


@dataclass
class Repository:
    private: bool = False
    commits: list[tuple[str, dict[str, bytes], str]] = field(default_factory=list)  # sha, files, message

    def at(self, revision: str) -> tuple[str, dict[str, bytes], str] | None:
        if revision == "main":
            return self.commits[-1]
        return next((commit for commit in self.commits if commit[0] == revision), None)

    def commit(self, files: dict[str, bytes], message: str = "by hand") -> str:
        sha = hashlib.sha1(repr((len(self.commits), sorted(files.items()))).encode()).hexdigest()
        self.commits.append((sha, files, message))
        return sha


class StandIn:
    """Repositories by name, the requests that came, and what goes wrong: ``(method, part of path, how)``.

    `how` is a status; or ``cut``: half of a file, then nothing; ``cut once``; or ``alter``: a file of the right length
    with other bytes.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.blobs: dict[str, bytes] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.faults: list[tuple[str, str, int | str]] = []
        self.told_sizes: dict[str, int] = {}
        self.url = ""

    def add(self, name: str, files: dict[str, bytes] | None = None, *, private: bool = False) -> Repository:
        found = self.repositories[name] = Repository(private)
        found.commit({".gitattributes": b"*.safetensors filter=lfs\n"} if files is None else files)
        return found

    def files(self, name: str) -> dict[str, bytes]:
        return {path: data for path, data in self.repositories[name].commits[-1][1].items() if path[0] != "."}


def git_hash(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    hub: StandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append((self.command, path, dict(self.headers)))
        for method, part, how in self.hub.faults:
            if method == self.command and part in path and isinstance(how, int):
                self._error(how, "on request", **({"X-Error-Code": "GatedRepo"} if "gated" in path else {}))
                return
        parts = [part for part in path.split("/") if part]
        match parts:
            case ["api", "repos", "create"]:
                self._create(json.loads(body))
            case ["api", "validate-yaml"]:
                self._validate(json.loads(body)["content"])
            case ["api", "models", owner, name, *rest]:
                self._model(f"{owner}/{name}", rest, body)
            case [owner, name, "info", "lfs", "objects", "batch"]:
                self._batch(json.loads(body))
            case ["lfs", oid] if self.command == "PUT":
                self.hub.blobs[oid] = body
                self._json({})
            case [owner, name, "resolve", revision, *rest]:
                self._resolve(f"{owner}/{name}", revision, "/".join(rest))
            case _:
                self._error(404, f"no route {path}")

    def _knows(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def _found(self, name: str) -> Repository | None:
        found = self.hub.repositories.get(name)
        if found is None or (found.private and not self._knows()):
            status = 404 if self._knows() else 401
            self._error(status, "Repository not found", **{"X-Error-Code": "RepoNotFound"})
            return None
        return found

    def _create(self, wanted: dict[str, Any]) -> None:
        name = f"{wanted['organization']}/{wanted['name']}"
        if not self._knows():
            self._error(401, "Invalid username or password.")
        elif wanted["organization"] != "anna":
            self._error(403, "You don't have the rights to create a model under this namespace")
        elif name in self.hub.repositories:
            self._error(409, "You already created this model repo", url=f"{self.hub.url}/{name}")
        else:
            self.hub.add(name, private=wanted.get("visibility") == "private" or bool(wanted.get("private")))
            self._json({"url": f"{self.hub.url}/{name}", "name": name})

    def _validate(self, content: str) -> None:
        assert content.startswith("---\n"), "a card begins with its metadata"
        metadata = yaml.safe_load(content.split("---\n")[1])
        wrong = [key for key in ("datasets", "tags") if None in metadata.get(key, [])]
        if wrong:
            self._json({"errors": [{"message": f"{wrong[0]} must be strings"}], "warnings": []}, status=400)
        else:
            self._json({"errors": [], "warnings": []})

    def _model(self, name: str, rest: list[str], body: bytes) -> None:
        if (found := self._found(name)) is None:
            return
        revision = rest[1] if len(rest) > 1 else "main"
        if (commit := found.at(revision)) is None:
            self._error(404, "Revision not found", **{"X-Error-Code": "RevisionNotFound"})
            return
        sha, files, _ = commit
        match rest[:1]:
            case [] | ["revision"]:
                siblings = [self._sibling(path, data) for path, data in files.items()]
                self._json({"id": name, "sha": sha, "private": found.private, "siblings": siblings, "tags": []})
            case ["tree"]:
                self._json([self._leaf(path, data) for path, data in files.items()])
            case ["preupload"]:
                listed = [each["path"] for each in json.loads(body)["files"]]
                ways = {path: "lfs" if path.endswith(APART) else "regular" for path in listed}
                self._json(
                    {"files": [{"path": path, "uploadMode": way, "shouldIgnore": False} for path, way in ways.items()]}
                )
            case ["commit"]:
                self._commit(found, name, [json.loads(line) for line in body.splitlines()])

    def _sibling(self, path: str, data: bytes) -> dict[str, Any]:
        size = self.hub.told_sizes.get(path, len(data))
        apart = {"lfs": {"sha256": sha256(data), "size": size, "pointerSize": 130}} if path.endswith(APART) else {}
        return {"rfilename": path, "size": size, "blobId": git_hash(data), **apart}

    def _leaf(self, path: str, data: bytes) -> dict[str, Any]:
        apart = {"lfs": {"oid": sha256(data), "size": len(data), "pointerSize": 130}} if path.endswith(APART) else {}
        return {"type": "file", "path": path, "size": len(data), "oid": git_hash(data), **apart}

    def _batch(self, wanted: dict[str, Any]) -> None:
        def action(each: dict[str, Any]) -> dict[str, Any]:
            if each["oid"] in self.hub.blobs:
                return each
            return {**each, "actions": {"upload": {"href": f"{self.hub.url}/lfs/{each['oid']}"}}}

        self._json({"transfer": "basic", "objects": [action(each) for each in wanted["objects"]]})

    def _commit(self, found: Repository, name: str, lines: list[dict[str, Any]]) -> None:
        header = next(line["value"] for line in lines if line["key"] == "header")
        if not self._knows() or name.partition("/")[0] != "anna":
            self._error(403, "no right to write")
            return
        if header.get("parentCommit") not in (None, found.commits[-1][0]):
            self._error(412, "A commit has happened since. Please refresh and try again.")
            return
        files = dict(found.commits[-1][1])
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.blobs[value["oid"]]
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        sha = found.commit(files, header["summary"])
        self._json({"commitUrl": f"{self.hub.url}/{name}/commit/{sha}", "commitOid": sha})

    def _resolve(self, name: str, revision: str, path: str) -> None:
        if (found := self._found(name)) is None:
            return
        commit = found.at(revision)
        if commit is None or path not in commit[1]:
            self._error(404, "Entry not found", **{"X-Error-Code": "EntryNotFound"})
            return
        data = commit[1][path]
        apart = path.endswith(APART)
        etag = f'"{sha256(data) if apart else git_hash(data)}"'
        headers = {"ETag": etag, "X-Repo-Commit": commit[0], "Accept-Ranges": "bytes"}
        if apart:
            headers |= {"X-Linked-Etag": etag, "X-Linked-Size": str(len(data))}
        start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").partition("-")[0])
        wrong = next((how for method, part, how in self.hub.faults if method == self.command and part in path), None)
        if wrong == "alter":
            data = bytes(255 - byte for byte in data)
        body = data[start:]
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self.send_response(206 if start else 200)
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if wrong in ("cut", "cut once"):
            self.hub.faults = [fault for fault in self.hub.faults if fault[2] != "cut once"]
            body = body[: len(body) // 2]
            self.close_connection = True
        self.wfile.write(body)

    def _error(self, status: int, message: str, **headers: str) -> None:
        url = headers.pop("url", None)
        self._json(
            {"error": message, **({"url": url} if url else {})},
            status=status,
            **{"X-Error-Message": message, **headers},
        )

    def _json(self, values: Any, status: int = 200, **headers: str) -> None:
        content = json.dumps(values).encode()
        self.send_response(status)
        for key, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(content))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


@contextmanager
def standing_in() -> Iterator[StandIn]:
    """A stand-in that listens on loopback until the end of the block."""
    hub = StandIn()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
