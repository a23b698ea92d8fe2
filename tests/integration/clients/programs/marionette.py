# SPDX-License-Identifier: ISC
"""The wire to a Mozilla program that was started with --marionette: JSON with its length before it, over loopback."""

import json
import socket


class MarionetteError(Exception):
    pass


class Marionette:
    def __init__(self, port, seconds):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self.pending = b""
        self.number = 0
        self.read()  # who it is
        self.ask("WebDriver:NewSession", capabilities={"unhandledPromptBehavior": "ignore"})
        self.ask("Marionette:SetContext", value="chrome")
        self.ask("WebDriver:SetTimeouts", script=seconds * 1000)

    def read(self):
        while b":" not in self.pending:
            self.receive()
        size, self.pending = self.pending.split(b":", 1)
        while len(self.pending) < int(size):
            self.receive()
        text, self.pending = self.pending[:int(size)], self.pending[int(size):]
        return json.loads(text)

    def receive(self):
        data = self.sock.recv(65536)
        if not data:
            raise MarionetteError("it is gone")
        self.pending += data

    def ask(self, command, **parameters):
        self.number += 1
        text = json.dumps([0, self.number, command, parameters]).encode()
        self.sock.sendall(b"%d:%s" % (len(text), text))
        _, _, error, result = self.read()
        if error is not None:
            raise MarionetteError(f"{command}: {error.get('error')}: {error.get('message')}")
        return result

    def run(self, script, *arguments):
        """An async function's body; its value. None also if a dialogue came in between."""
        wrapped = f"""const done = arguments[arguments.length - 1];
(async (...args) => {{ {script} }})(...arguments).then(
  (value) => done({{value}}), (error) => done({{error: String(error) + ' ' + error.stack}}));"""
        try:
            result = self.ask("WebDriver:ExecuteAsyncScript", script=wrapped, args=list(arguments), sandbox="system",
                              newSandbox=False)["value"]
        except MarionetteError as error:
            if "unexpected alert open" in str(error):
                return None
            raise
        if result is None:
            return None
        if "error" in result:
            raise MarionetteError(result["error"])
        return result.get("value")

    def close(self):
        self.sock.close()
