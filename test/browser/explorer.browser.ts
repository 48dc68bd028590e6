import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { chromium, type Browser, type Page } from 'playwright-core';

/**
 * Drives the explorer in a real browser, as somebody does who opens the GraphQL address: with Apollo's network closed,
 * hanging and open, and without JavaScript.
 *
 *     node -r ./scripts/register-typescript.js test/browser/explorer.browser.ts [GraphQL URL] [folder for screenshots]
 *
 * Without a URL it starts the server on a folder of its own. The browser is /usr/bin/chromium unless
 * KINDRED_CHROMIUM names one.
 */
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const SCRIPTS = 'https://embeddable-sandbox.cdn.apollographql.com/**';
const FRAME = 'https://sandbox.embed.apollographql.com/**';

/** Stands in for Apollo's script: a frame from Apollo's address, and what it was given. */
const FAKE_SANDBOX = `
window.EmbeddedSandbox = class {
  constructor(options) {
    document.body.dataset.options = JSON.stringify(options);
    const frame = document.createElement('iframe');
    frame.src = 'https://sandbox.embed.apollographql.com/sandbox';
    document.querySelector(options.target).append(frame);
  }
};`;

async function open(browser: Browser, url: string, prepare: (page: Page) => Promise<unknown>): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1360, height: 820 } });
  page.on('pageerror', (error) => problems.push(`${error}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && /Content Security Policy|Refused to/.test(message.text())) {
      problems.push(message.text());
    }
  });
  await prepare(page);
  await page.goto(url);
  return page;
}

const problems: string[] = [];

const closeNetwork = (page: Page): Promise<unknown> =>
  Promise.all([SCRIPTS, FRAME].map((pattern) => page.route(pattern, (route) => route.abort())));

/** What the response pane shows once the operation has answered. */
async function readResponse(page: Page): Promise<string> {
  const response = page.locator('.result-window', { hasText: /"(data|errors)"/ });
  await response.waitFor();
  return response.innerText();
}

async function checkBuiltIn(browser: Browser, url: string, screenshots: string): Promise<void> {
  const page = await open(browser, url, closeNetwork);
  await page.waitForSelector('body[data-explorer=graphiql]');
  assert.match(await page.locator('#status').innerText(), /GraphiQL.*not reachable/);
  const titles = await page.locator('.open strong').allInnerTexts();
  assert.ok(titles.length >= 6, `ready operations: ${titles.join(', ')}`);
  await page.locator('.open', { hasText: 'Find people' }).click();
  assert.match(await page.locator('.graphiql-query-editor').innerText(), /query FindPeople/);
  await page.getByRole('button', { name: 'Run: The hierarchy of tags' }).click();
  const response = await readResponse(page);
  await page.screenshot({ path: path.join(screenshots, 'explorer-graphiql.png') });
  assert.doesNotMatch(response, /"errors"/);
  assert.match(response, /"name"/);
  await page.getByRole('button', { name: 'Run: Watch the vectors follow' }).click();
  await page.locator('.result-window', { hasText: /"isIdle": true/ }).waitFor();
  await page.close();
}

/** Every ready query is run, so that none of them rots. Mutations and what waits for their tokens are for people. */
async function checkEveryQuery(url: string): Promise<void> {
  const operations = (await (await fetch(new URL('/explorer/operations.json', url))).json()) as {
    title: string;
    query: string;
    variables: string;
  }[];
  for (const { title, query, variables } of operations) {
    if (/^(mutation|subscription)/.test(query) || variables.includes('syncToken')) continue;
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables: variables === '' ? {} : JSON.parse(variables) }),
    });
    const { errors } = (await answer.json()) as { errors?: unknown };
    assert.equal(errors, undefined, `${title}: ${JSON.stringify(errors)}`);
  }
}

async function checkHangingNetwork(browser: Browser, url: string): Promise<void> {
  const page = await open(browser, url, (made) => made.route(SCRIPTS, () => new Promise(() => undefined)));
  assert.match(await page.locator('#status').innerText(), /Opening/);
  assert.ok((await page.locator('.open').count()) > 0 || (await page.locator('.open').first().isVisible()));
  await page.waitForSelector('body[data-explorer=graphiql]');
  await page.close();
}

async function checkSandbox(browser: Browser, url: string, screenshots: string): Promise<void> {
  const page = await open(browser, url, (made) =>
    Promise.all([
      made.route(SCRIPTS, (route) => route.fulfill({ contentType: 'text/javascript', body: FAKE_SANDBOX })),
      made.route(FRAME, (route) =>
        route.fulfill({
          contentType: 'text/html',
          body: '<h1>Sandbox</h1><script>parent.postMessage("hello", "*")</script>',
        }),
      ),
    ]),
  );
  await page.waitForSelector('body[data-explorer=sandbox]');
  const options = async (): Promise<{ initialEndpoint: string; initialState: { document: string } }> =>
    JSON.parse((await page.locator('body').getAttribute('data-options')) ?? '{}') as never;
  assert.equal((await options()).initialEndpoint, url);
  assert.match((await options()).initialState.document, /FindPeople/);
  await page.locator('.open', { hasText: 'hierarchy of tags' }).click();
  assert.match((await options()).initialState.document, /query Tags/);
  await page.screenshot({ path: path.join(screenshots, 'explorer-sandbox.png') });
  await page.getByRole('button', { name: 'Use GraphiQL' }).click();
  await page.waitForSelector('body[data-explorer=graphiql]');
  await page.reload();
  await page.waitForSelector('body[data-explorer=graphiql]');
  await page.close();
}

async function checkWithoutScript(browser: Browser, url: string, screenshots: string): Promise<void> {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(url);
  assert.match(await page.locator('body').innerText(), /needs JavaScript[^]*curl/);
  await page.screenshot({ path: path.join(screenshots, 'explorer-without-script.png') });
  await context.close();
}

/** Starts the server as a newcomer does, on a folder and a port of its own. */
async function startServer(folder: string): Promise<{ url: string; child: ChildProcess }> {
  const cli = path.resolve(__dirname, '..', '..', 'dist', 'cli.js');
  const child = spawn(process.execPath, [cli, 'serve'], {
    env: { KINDRED_EMBEDDER: 'deterministic', ...process.env, KINDRED_DATA_DIR: folder, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /http:\/\/\S+\/graphql/.exec(line)?.[0];
    if (url !== undefined) {
      child.stdout.resume();
      return { url, child };
    }
  }
  throw new Error('the server ended before it told its address');
}

async function main(): Promise<void> {
  const [givenUrl, screenshots = fs.mkdtempSync(path.join(os.tmpdir(), 'explorer-screenshots-'))] =
    process.argv.slice(2);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'explorer-test-'));
  const server = givenUrl === undefined ? await startServer(folder) : undefined;
  const url = givenUrl ?? server?.url ?? '';
  const browser = await chromium.launch({
    executablePath: process.env['KINDRED_CHROMIUM'] ?? '/usr/bin/chromium',
    args: FLAGS,
    headless: true,
  });
  try {
    await checkBuiltIn(browser, url, screenshots);
    await checkHangingNetwork(browser, url);
    await checkSandbox(browser, url, screenshots);
    await checkWithoutScript(browser, url, screenshots);
    await checkEveryQuery(url);
    assert.deepEqual(problems, []);
    console.log(`explorer: ok; screenshots in ${screenshots}`);
  } finally {
    await browser.close();
    if (server !== undefined) {
      const ended = once(server.child, 'exit');
      server.child.kill('SIGTERM');
      await ended;
    }
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

void main();
