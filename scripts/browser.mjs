// SPDX-License-Identifier: Apache-2.0
// The smoke test of the package in headless Chromium: a server for its page, on this machine alone, to which the page
// sends what it printed.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** How long the page may take. */
const LIMIT_MS = 120_000;

// Where there is a loader there is process too, so the page is none of Node's: nothing is put into it but an import map.
const PAGE = `<!doctype html>
<meta charset="utf-8">
<script type="importmap">
{ "imports": {
  "simdloss": "/node_modules/simdloss/dist/wasm.mjs",
  "simdloss/wasm": "/node_modules/simdloss/dist/wasm.mjs"
} }
</script>
<script type="module">
  const lines = [];
  for (const name of ['log', 'warn', 'error']) console[name] = (...values) => lines.push(values.join(' '));
  await import('/smoke.mjs').catch((error) => lines.push(error.stack));
  await fetch('/result', { method: 'POST', body: lines.join('\\n') });
</script>
`;

/** Scores and gradients of the addon, one after another. */
async function expectedBytes(project) {
  const { calls } = await import(pathToFileURL(path.join(project, 'calls.mjs')));
  const simdloss = createRequire(path.join(project, 'smoke.mjs'))('simdloss');
  const values = calls(simdloss).flatMap((call) => call.values);
  return Buffer.from(Float64Array.from(values).buffer);
}

async function textOf(request) {
  let text = '';
  for await (const part of request.setEncoding('utf8')) text += part;
  return text;
}

/** Serves the project's files; `onResult` gets what the page sends. */
async function serve(project, onResult) {
  const expected = await expectedBytes(project);
  const server = createServer(async (request, response) => {
    const { url } = request;
    const send = (type, body) => response.writeHead(200, { 'content-type': type }).end(body);
    if (url === '/result') onResult(await textOf(request));
    if (url === '/') return send('text/html', PAGE);
    if (url === '/expected') return send('application/octet-stream', expected);
    if (/^\/(smoke|calls|node_modules\/simdloss\/dist\/wasm)\.mjs$/.test(url)) {
      return send('text/javascript', readFileSync(path.join(project, url)));
    }
    response.writeHead(404).end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** Runs the page of a project in a browser: what it printed. */
export async function runPage(browser, project) {
  const profile = mkdtempSync(path.join(tmpdir(), 'simdloss-chromium-'));
  let give;
  const result = new Promise((resolve) => {
    give = resolve;
  });
  const server = await serve(project, give);
  // Root has no sandbox to drop into.
  const flags = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  flags.push('--headless', '--disable-gpu', '--no-first-run', `--user-data-dir=${profile}`);
  const child = spawn(browser, [...flags, `http://127.0.0.1:${server.address().port}/`], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.on('close', resolve));
  child.on('error', (error) => give(error.message));
  const timer = setTimeout(() => give(`no result after ${LIMIT_MS / 1000} s`), LIMIT_MS);
  try {
    return await result;
  } finally {
    clearTimeout(timer);
    child.kill();
    await ended;
    server.closeAllConnections();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
