"""Opens pages in a browser and asks them, and the database, what they could do."""

import argparse
import http.server
import json
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.request

import psycopg

from crowd.__main__ import Server

PAGE_SECONDS_MAX = 60

# Tries everything that a page can try, and sends what came of it to the server that it is from.
PAGE = """<!doctype html><meta charset="utf-8"><body><script>
const target = 'TARGET', order = JSON.stringify({userId: 'page', security: 'BTC-USD', side: 'bid', amount: 1, price: 1});
const tried = {};
const settle = async (name, promise) => {
  try { tried[name] = String(await promise); } catch (error) { tried[name] = 'failed: ' + error; }
};
const socket = send => new Promise((resolve, reject) => {
  const socket = new WebSocket(target.replace('http', 'ws') + '/ws');
  socket.onerror = () => reject('error');
  socket.onopen = () => { socket.send(send); setTimeout(() => resolve('opened'), 500); };
});
const post = (type, mode) => fetch(target + '/orders', {method: 'POST', mode, body: order, headers: {'Content-Type': type}})
  .then(answer => answer.status);
const form = () => new Promise(resolve => {
  const frame = document.createElement('iframe'), form = document.createElement('form'), input = document.createElement('input');
  frame.name = 'sink'; form.target = 'sink'; form.method = 'POST'; form.enctype = 'text/plain';
  form.action = target + '/orders';
  // {"userId":…,"x":"= and the rest is the value of a field.
  input.name = order.slice(0, -1) + ',"clientOrderId":"'; input.value = '"}';
  form.append(input); document.body.append(frame, form);
  frame.onload = () => resolve('sent');
  form.submit();
});
const load = (tag, path) => new Promise((resolve, reject) => {
  const element = document.createElement(tag);
  element.onload = () => resolve('loaded'); element.onerror = () => reject('error');
  element.src = target + path; document.body.append(element);
});
(async () => {
  await settle('socket', socket(JSON.stringify({type: 'add', ...JSON.parse(order), userId: undefined})));
  await settle('read', fetch(target + '/book?security=BTC-USD').then(answer => answer.text()));
  await settle('opaque', fetch(target + '/book?security=BTC-USD', {mode: 'no-cors'}).then(answer => answer.type));
  await settle('json', post('application/json', 'cors'));
  await settle('text', post('text/plain', 'no-cors'));
  await settle('delete', fetch(target + '/orders', {method: 'DELETE', body: '{}'}).then(answer => answer.status));
  await settle('form', form());
  await settle('script', load('script', '/book?security=BTC-USD'));
  const frame = document.createElement('iframe');
  frame.src = target + '/'; document.body.append(frame);
  await new Promise(resolve => { frame.onload = resolve; setTimeout(resolve, 3000); });
  await new Promise(resolve => setTimeout(resolve, 1000));
  await fetch('/result', {method: 'POST', body: JSON.stringify(tried)});
})();
</script>"""


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(PAGE.replace("TARGET", self.server.target).encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.results.put(json.loads(body))
        self.answer(b"")

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve_pages():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.results = queue.Queue()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Browser:
    def __init__(self, program):
        self.program = program

    def start(self, url, *options):
        folder = tempfile.mkdtemp(prefix="pgbook-browser-")
        process = subprocess.Popen(
            [self.program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={folder}",
             "--host-resolver-rules=MAP evil.test 127.0.0.1, MAP page.test 127.0.0.1",
             # So that what is shown is pgbook's own doing, and not the browser's rules for private networks.
             "--disable-features=PrivateNetworkAccessChecks,LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests",
             *options, url],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return process, folder

    def stop(self, process, folder):
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)

    def ask(self, url, results):
        """What the page reports."""
        process, folder = self.start(url)
        try:
            return results.get(timeout=PAGE_SECONDS_MAX)
        finally:
            self.stop(process, folder)

    def show(self, url):
        """The page as it stands after some seconds."""
        process, folder = self.start(url, "--dump-dom", "--virtual-time-budget=4000")
        try:
            return process.communicate(timeout=PAGE_SECONDS_MAX)[0]
        finally:
            self.stop(process, folder)


class Checks:
    def __init__(self):
        self.failed = 0

    def require(self, holds, what, found=""):
        self.failed += not holds
        print(f"{'holds' if holds else 'FAILS'}  {what}" + (f": {found}" if not holds and found != "" else ""), flush=True)


def commands():
    with psycopg.connect() as connection:
        return connection.execute("select count(*) from pgbook.commands").fetchone()[0]


def main():
    parser = argparse.ArgumentParser(prog="scripts/browser", add_help=False)
    parser.add_argument("--chromium", default="chromium")
    parser.add_argument("--program")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if shutil.which(options.chromium) is None:
        raise SystemExit(f"there is no program {options.chromium}; install it (Debian: the package chromium), or name it with --chromium")
    if options.check:
        return 0
    browser, pages, checks = Browser(options.chromium), serve_pages(), Checks()
    origin = f"http://page.test:{pages.server_port}"

    server = Server(options.program)
    pages.target = f"http://127.0.0.1:{server.port}"
    shown = browser.show(f"http://localhost:{server.port}/")
    checks.require(
        "you are user#" in shown and "BTC-USD" in shown, "the live page runs and has its socket",
        re.findall('id="state">[^<]*', shown))
    before = commands()
    tried = browser.ask(origin, pages.results)
    for name in ("socket", "read", "opaque", "json", "delete", "script"):
        checks.require(tried[name].startswith("failed"), f"a page of another origin: {name}", tried[name])
    checks.require(commands() == before, "and no order came of anything that it sent", commands())
    log = urllib.request.urlopen(f"{pages.target}/metrics").read().decode()
    checks.require("pgbook_sockets 0\n" in log, "nor of the live page in its frame a socket", log[:200])
    rebound = browser.show(f"http://evil.test:{server.port}/")
    checks.require("not_allowed" in rebound and "WebSocket" not in rebound, "a foreign name gets no page", rebound[-400:])
    pages.target = f"http://evil.test:{server.port}"
    tried = browser.ask(f"http://evil.test:{pages.server_port}", pages.results)
    checks.require(tried["socket"].startswith("failed") and commands() == before, "nor anything else", tried)
    server.stop()

    server = Server(options.program, "--allow-origin", origin)
    pages.target = f"http://127.0.0.1:{server.port}"
    tried = browser.ask(origin, pages.results)
    checks.require(tried["socket"] == "opened", "an origin that is allowed: socket", tried["socket"])
    checks.require("aggOrderBook" in tried["read"], "an origin that is allowed: read", tried["read"])
    checks.require(tried["json"] in ("200", "202"), "an origin that is allowed: json", tried["json"])
    checks.require(commands() == before + 2, "and both its orders are there", commands())
    server.stop()
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
