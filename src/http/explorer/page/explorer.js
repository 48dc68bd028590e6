'use strict';

/**
 * The page at the GraphQL address: ready operations at the left, an explorer at the right. Apollo Sandbox when its script
 * and its frame arrive in time, else GraphiQL from our own server; a button changes between them.
 */
(() => {
  const SANDBOX_SCRIPT =
    'https://embeddable-sandbox.cdn.apollographql.com/_latest/embeddable-sandbox.umd.production.min.js';
  const SANDBOX_FRAME = 'https://sandbox.embed.apollographql.com';
  // Long enough for a slow line, short enough for somebody who waits in front of a blocked one.
  const SCRIPT_TIMEOUT_MS = 2000;
  const FRAME_TIMEOUT_MS = 5000;
  const ENDPOINT = new URL('/graphql', location.href).href;
  const SUBSCRIPTION_ENDPOINT = ENDPOINT.replace(/^http/, 'ws');
  const OPENING = 'Opening the explorer…';
  const CHOICE = 'kindred:explorer';

  const status = document.getElementById('status');
  const list = document.getElementById('operations');
  const place = document.getElementById('explorer');
  const switcher = document.getElementById('switch');

  /** What is open now: `open(operation, isRun)` and `close()`. */
  let explorer;
  let operations = [];

  function element(tag, properties, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  /** The user's last choice, where the browser lets us keep one. */
  function recall() {
    try {
      return localStorage.getItem(CHOICE);
    } catch {
      return null;
    }
  }

  function remember(choice) {
    try {
      localStorage.setItem(CHOICE, choice);
    } catch {
      // Private windows may refuse; then every visit starts afresh.
    }
  }

  function loadScript(source, timeoutMs) {
    return new Promise((resolve, reject) => {
      const script = element('script', { src: source });
      const timer = timeoutMs && setTimeout(() => fail('it took too long'), timeoutMs);
      const fail = (reason) => {
        clearTimeout(timer);
        script.remove();
        reject(new Error(`${source} did not load: ${reason}`));
      };
      script.onload = () => {
        clearTimeout(timer);
        resolve();
      };
      script.onerror = () => fail('it is not reachable');
      document.head.append(script);
    });
  }

  async function openSandbox(first) {
    if (!window.EmbeddedSandbox) await loadScript(SANDBOX_SCRIPT, SCRIPT_TIMEOUT_MS);
    const root = element('div', { className: 'sandbox', id: 'sandbox' });
    place.replaceChildren(root);
    const show = (operation) => {
      root.replaceChildren();
      new window.EmbeddedSandbox({
        target: '#sandbox',
        initialEndpoint: ENDPOINT,
        initialSubscriptionEndpoint: SUBSCRIPTION_ENDPOINT,
        runTelemetry: false,
        initialState: {
          document: operation?.query,
          variables: operation?.variables ? JSON.parse(operation.variables) : {},
          includeCookies: false,
        },
      });
    };
    const answered = new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(reject, new Error('the sandbox’s frame did not answer')), FRAME_TIMEOUT_MS);
      const listen = (event) => event.origin === SANDBOX_FRAME && settle(resolve);
      const settle = (how, value) => {
        clearTimeout(timer);
        removeEventListener('message', listen);
        how(value);
      };
      addEventListener('message', listen);
    });
    show(first);
    await answered;
    return { name: 'sandbox', canRun: false, open: show, close: () => place.replaceChildren() };
  }

  async function openGraphiQL(first) {
    if (!window.GraphiQL) {
      document.head.append(element('link', { rel: 'stylesheet', href: '/explorer/graphiql.min.css' }));
      await loadScript('/explorer/react.production.min.js');
      await loadScript('/explorer/react-dom.production.min.js');
      await loadScript('/explorer/graphiql.min.js');
    }
    const { React, ReactDOM, GraphiQL } = window;
    const root = element('div', { className: 'graphiql' });
    place.replaceChildren(root);
    const mounted = ReactDOM.createRoot(root);
    // The editors are only reachable from a component inside, so one hands them out.
    const inside = {};
    let isInside;
    const ready = new Promise((resolve) => (isInside = resolve));
    const Insider = () => {
      inside.editors = GraphiQL.React.useEditorContext({ nonNull: true });
      inside.execution = GraphiQL.React.useExecutionContext({ nonNull: true });
      React.useEffect(() => {
        if (inside.editors.queryEditor && inside.editors.variableEditor) isInside();
      });
      return null;
    };
    mounted.render(
      React.createElement(
        GraphiQL,
        {
          fetcher: GraphiQL.createFetcher({ url: ENDPOINT, subscriptionUrl: SUBSCRIPTION_ENDPOINT }),
          defaultTabs: first ? [{ query: first.query, variables: first.variables }] : undefined,
          defaultEditorToolsVisibility: true,
          isHeadersEditorEnabled: true,
          shouldPersistHeaders: false,
        },
        React.createElement(GraphiQL.Footer, null, React.createElement(Insider)),
      ),
    );
    await ready;
    return {
      name: 'graphiql',
      canRun: true,
      open: (operation, isRun) => {
        const { queryEditor, variableEditor } = inside.editors;
        variableEditor.setValue(operation.variables);
        queryEditor.setValue(operation.query);
        if (isRun) runOnceRead(inside, operation);
      },
      close: () => {
        mounted.unmount();
        place.replaceChildren();
      },
    };
  }

  /** GraphiQL reads what was put into its editor a little later; run before that, it would ask for the old operation. */
  function runOnceRead(inside, operation, triesLeft = 50) {
    const name = /(?:query|mutation|subscription)\s+(\w+)/.exec(operation.query)?.[1];
    const { queryEditor } = inside.editors;
    if (queryEditor.getValue() !== operation.query) return;
    if (queryEditor.operationName === name) inside.execution.run();
    else if (triesLeft > 0) setTimeout(() => runOnceRead(inside, operation, triesLeft - 1), 40);
  }

  function showOperations() {
    list.replaceChildren(
      ...operations.map((operation) => {
        const open = element(
          'button',
          { type: 'button', className: 'open' },
          element('strong', { textContent: operation.title }),
          element('span', { textContent: operation.description }),
        );
        const choose = (isRun) => {
          for (const other of list.querySelectorAll('.open'))
            other.setAttribute('aria-current', String(other === open));
          explorer?.open(operation, isRun);
        };
        open.onclick = () => choose(false);
        const run = element('button', { type: 'button', className: 'run', textContent: '▶', title: 'Open and run' });
        run.setAttribute('aria-label', `Run: ${operation.title}`);
        run.onclick = () => choose(true);
        return element('li', {}, open, run);
      }),
    );
  }

  function say(opened, why) {
    const isSandbox = opened.name === 'sandbox';
    status.textContent = isSandbox ? 'Apollo Sandbox' : `GraphiQL, served from here${why ? ` (${why})` : ''}`;
    switcher.textContent = isSandbox ? 'Use GraphiQL' : 'Use Apollo Sandbox';
    switcher.hidden = false;
    for (const run of list.querySelectorAll('.run')) run.hidden = !opened.canRun;
    document.body.dataset.explorer = opened.name;
  }

  async function openOne(wanted) {
    explorer?.close();
    explorer = undefined;
    switcher.hidden = true;
    let why = '';
    try {
      if (wanted !== 'graphiql') explorer = await openSandbox(operations[0]);
    } catch {
      why = 'Apollo Sandbox is not reachable';
    }
    explorer ??= await openGraphiQL(operations[0]);
    say(explorer, why);
  }

  function giveUp(error) {
    status.textContent = 'The explorer could not be opened';
    place.replaceChildren(
      element(
        'div',
        { className: 'notice' },
        element('h2', { textContent: 'The explorer could not be opened' }),
        element('p', { textContent: `${error.message}. GraphQL itself answers at this address:` }),
        element('pre', {
          textContent: `curl ${ENDPOINT} -H 'content-type: application/json' -d '{"query":"{ __typename }"}'`,
        }),
      ),
    );
  }

  switcher.onclick = () => {
    const wanted = explorer?.name === 'sandbox' ? 'graphiql' : 'sandbox';
    remember(wanted);
    status.textContent = OPENING;
    openOne(wanted).catch(giveUp);
  };

  status.textContent = OPENING;
  fetch('/explorer/operations.json')
    .then((answer) => answer.json())
    .then((read) => {
      operations = read;
      showOperations();
    })
    .catch(() => {
      list.replaceChildren(element('li', { textContent: 'They could not be read.' }));
    })
    .then(() => openOne(recall()))
    .catch(giveUp);
})();
