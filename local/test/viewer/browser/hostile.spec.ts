// Attacks on the viewer: hostile content, other origins, DNS rebinding.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { openViewer, ready, record, said, start } from './support.ts';

// Each of these would call alert(), which is a problem of the page, or set `pwned`, or load something.
const MARKUP = [
  '<script>alert(1)</script>',
  '"><script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  `'"><img src=x onerror=alert(1)>`,
  '<svg onload=alert(1)>',
  '<svg><script>alert(1)</script></svg>',
  '<iframe srcdoc="<script>parent.pwned=1</script>"></iframe>',
  '<iframe src="javascript:alert(1)"></iframe>',
  '<details open ontoggle=alert(1)>x</details>',
  '<a href="javascript:alert(1)">x</a>',
  '<form action="http://evil.example"><button>x</button></form>',
  '<style>body{display:none}</style>',
  '<link rel=stylesheet href=http://evil.example/x.css>',
  '<base href="http://evil.example/">',
  '<meta http-equiv=refresh content="0;url=http://evil.example">',
  '<math><mtext></table><mglyph><style><!--</style><img src onerror=alert(1)>',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '</textarea></title></script></style><img src=x onerror=alert(1)>',
  '" autofocus onfocus=alert(1) x="',
  'javascript:alert(1)',
  '\u2028<script>alert(1)</script>\0',
  '{{constructor.constructor("alert(1)")()}}',
];

const MARKDOWN = [
  '[x](javascript:alert(1))',
  '[x](JaVaScRiPt:alert(1))',
  '[x](javascript&colon;alert(1))',
  '[x](java\tscript:alert(1))',
  '[x](\u0001javascript:alert(1))',
  '[x](data:text/html,<script>alert(1)</script>)',
  '[x](vbscript:alert(1))',
  '[x](file:///etc/passwd)',
  '[x](//evil.example)',
  '[x](/session)',
  '[x]: javascript:alert(1)\n[x]',
  '![x](http://evil.example/pixel.png)',
  '![x](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+)',
  '![x](javascript:alert(1))',
  '[![x](http://evil.example/a.png)](http://evil.example)',
  '<javascript:alert(1)>',
  '[x](http://a.example/"onmouseover="alert(1))',
  '[x](http://a.example "t\\" onmouseover=\\"alert(1)")',
  '```"><script>alert(1)</script>\ncode\n```',
  '```<img src=x onerror=alert(1)>\n</code></pre><script>alert(1)</script>\n```',
  '| <img src=x onerror=alert(1)> |\n|:-:|\n| <script>alert(1)</script> |',
  '&lt;script&gt;alert(1)&lt;/script&gt; &#60;script>alert(1)</script>',
  '# <script>alert(1)</script>\n<!-- --><script>alert(1)</script>',
];

test('nothing that is recorded becomes markup, runs, or is loaded, whichever field it is in', {
  timeout: 180_000,
}, async () => {
  const local = await start();
  const conversation_id = crypto.randomUUID();
  const messages = [...MARKUP, ...MARKDOWN].flatMap(payload => {
    const metadata = {
      model: payload,
      response_model: payload,
      provider: payload,
      framework: payload,
      finish_reason: payload,
      turn_id: payload,
      error: payload,
      status: 'error',
      tool_calls: [payload],
      attachments: [
        { filename: payload, media_type: payload, url: payload },
        { filename: 'x', url: `https://a.example/${payload}` },
        { filename: 'x', url: 'javascript:alert(1)' },
      ],
      latency_ms: payload,
      started_at: payload,
      external_conversation_id: payload,
      [payload]: payload,
    };
    const id = payload.replaceAll('\0', '');
    const who = { conversation_id, user_id: id, customer_id: id, session_id: id };
    return [
      said({ ...who, content: payload, metadata: { ...metadata, status: undefined } }),
      said({ ...who, role: 'assistant', content: payload, metadata }),
      said({ ...who, conversation_id: crypto.randomUUID(), content: payload, metadata }),
    ];
  });
  await record(local, ...messages);
  const page = await openViewer(local);
  const outside: string[] = [];
  page.on('request', request => {
    if (!request.url().startsWith(local.url)) outside.push(request.url());
  });

  /** @returns whether a page contains nothing but what we have written */
  const expectClean = async () => {
    const found = await page.evaluate(() => ({
      pwned: 'pwned' in window,
      title: document.title.length > 0,
      // The page's own two or three elements in the head, none of them in the body.
      strays: [...document.querySelectorAll('body :is(script, style, link, base, meta, iframe, object, embed, img)')]
        .map(element => element.outerHTML)
        .filter(html => !html.startsWith('<svg class="icon"')),
      handlers: [...document.querySelectorAll('*')]
        .flatMap(element => element.getAttributeNames())
        .filter(name => name.startsWith('on') || name === 'style' || name === 'srcdoc'),
      links: [...document.querySelectorAll<HTMLElement>('[href], [action], [src], [formaction]')]
        .flatMap(element => ['href', 'action', 'src', 'formaction'].map(name => element.getAttribute(name) ?? ''))
        .filter(url => url !== '' && !/^(https?:\/\/|mailto:|[/#]|\/$)/.test(url)),
      unguarded: [...document.querySelectorAll<HTMLAnchorElement>('main a[href^=http]')].filter(
        a => !a.relList.contains('noopener') || !a.relList.contains('noreferrer'),
      ).length,
      foreign: [...document.querySelectorAll<HTMLElement>('.bubble [href^="/"]')]
        .map(a => a.getAttribute('href') ?? '')
        .filter(href => !href.startsWith('/conversations/')),
    }));
    expect(found).toEqual({
      pwned: false,
      title: true,
      strays: [],
      handlers: [],
      links: [],
      unguarded: 0,
      foreign: [],
    });
  };

  await expectClean();
  await page.goto(`${local.url}/conversations/${conversation_id}?after=0`);
  expect(await page.locator('.message').count()).toBe(2 * (MARKUP.length + MARKDOWN.length));
  await expectClean();
  for (const raw of await page.locator('[data-raw]').all()) await raw.dispatchEvent('click');
  await expect.poll(() => page.locator('pre.raw').count()).toBe(2 * (MARKUP.length + MARKDOWN.length));
  await expectClean();
  // Pointing at a link, or focusing it, runs nothing.
  for (const link of await page.locator('.bubble a').all()) await link.dispatchEvent('mouseover');
  await expectClean();

  // It all comes once more, live.
  await page.goto(`${local.url}/conversations/${conversation_id}`);
  await ready(page);
  await record(local, ...messages.filter(message => message.conversation_id === conversation_id));
  await expect.poll(() => page.locator('.message.new').count()).toBeGreaterThan(80);
  await expectClean();
  await page.goto(local.url);
  await ready(page);
  await record(local, ...messages.filter(message => message.conversation_id !== conversation_id));
  await page.locator('.row.new').first().waitFor();
  await expectClean();

  for (const payload of [...MARKUP, ...MARKDOWN]) {
    const text = encodeURIComponent(payload);
    await page.goto(`${local.url}/?q=${text}&user=${text}&customer=${text}&model=${text}&status=${text}`);
    await expectClean();
  }
  expect(outside).toEqual([]);
});

test('a file with a hostile name in it is only ever a download, or plain text', async () => {
  const local = await start();
  const message = said({ content: '<script>alert(1)</script>', user_id: '<script>alert(1)</script>' });
  await record(local, message);
  const page = await openViewer(local, `/conversations/${message.conversation_id}`);
  const path = await page.locator('[data-copy]').getAttribute('href');
  await page.goto(local.url + path);
  expect(await page.evaluate(() => document.contentType)).toBe('text/plain');
  expect(await page.locator('script').count()).toBe(0);
});

/** A page on another port of this machine: of another origin, but of the same site, so the cookie goes with it. */
async function foreignPage(): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>evil</title><body></body>');
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

test('a page of another origin, on this machine too, can read nothing in any way', async () => {
  const local = await start();
  const message = said({ content: 'private-words' });
  await record(local, message);
  const page = await openViewer(local);
  const evil = await foreignPage();
  await page.goto(evil);

  const paths = [
    '/',
    '/?q=private',
    '/known/user?text=',
    '/export.jsonl',
    '/events?after=0',
    '/assets/list.js',
    '/v1/conversations',
    `/conversations/${message.conversation_id}`,
    `/conversations/${message.conversation_id}/transcript.jsonl`,
    `/conversations/${message.conversation_id}/transcript.md`,
    `/conversations/${message.conversation_id}/messages/1`,
    `/conversations/${message.conversation_id}/events?after=0`,
  ];
  const read = await page.evaluate(
    async ({ origin, paths }) => {
      const answers: string[] = [];
      const settle = (element: HTMLElement, what: string) =>
        new Promise<void>(resolve => {
          element.onload = () => {
            answers.push(`${what} loaded`);
            resolve();
          };
          element.onerror = () => resolve();
          document.body.append(element);
          setTimeout(resolve, 2000);
        });
      for (const path of paths) {
        const url = origin + path;
        for (const init of [
          { credentials: 'include' },
          { credentials: 'include', mode: 'no-cors' },
          { credentials: 'include', headers: { 'x-custom': '1' } },
          { credentials: 'include', method: 'POST', body: 'x' },
        ] as RequestInit[])
          await fetch(url, init).then(
            async response => {
              const text = await response.text();
              if (text !== '' || response.type !== 'opaque') answers.push(`fetch ${path}: ${text.slice(0, 40)}`);
            },
            () => {},
          );
        await settle(Object.assign(new Image(), { src: url }), `image ${path}`);
        await settle(Object.assign(document.createElement('script'), { src: url }), `script ${path}`);
        const style = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: url });
        await settle(style, `style ${path}`);
        await new Promise<void>(resolve => {
          const source = new EventSource(url, { withCredentials: true });
          source.onopen = () => answers.push(`events ${path}`);
          source.onerror = () => {
            source.close();
            resolve();
          };
        });
        await new Promise<void>(resolve => {
          const socket = new WebSocket(url.replace('http', 'ws'));
          socket.onopen = () => answers.push(`socket ${path}`);
          socket.onclose = () => resolve();
        });
      }
      return answers;
    },
    { origin: local.url, paths },
  );
  expect(read).toEqual([]);

  // A frame stays empty, for the page and for whoever looks at it.
  await page.evaluate(url => {
    const frame = document.createElement('iframe');
    frame.src = url;
    document.body.append(frame);
  }, local.url);
  await expect.poll(() => page.frames().length).toBe(2);
  await page.waitForLoadState('networkidle').catch(() => {});
  for (const frame of page.frames()) expect(await frame.content()).not.toContain('private-words');

  // A window it opens is its reader's, not its own.
  const [opened] = await Promise.all([
    page.context().waitForEvent('page'),
    page.evaluate(url => {
      Object.assign(window, { opened: window.open(url) });
    }, local.url),
  ]);
  await opened.waitForLoadState();
  expect(await opened.locator('h1').innerText()).toBe('Conversations');
  expect(await page.evaluate(() => (window as unknown as { opened: Window }).opened.closed)).toBe(true);

  // It can't sign a browser in, or store anything.
  const posted = await page.evaluate(async origin => {
    const form = Object.assign(document.createElement('form'), { action: `${origin}/session`, method: 'post' });
    const answer = await fetch(`${origin}/v1/conversations/messages`, { method: 'POST', mode: 'no-cors', body: '{}' });
    document.body.append(form);
    form.submit();
    return answer.type;
  }, local.url);
  expect(posted).toBe('opaque');
  await page.waitForURL(`${local.url}/session`);
  expect(await page.content()).toContain('not allowed');
  // What it tried in vain.
  page.problems.length = 0;
});

test('a name that somebody points at this machine gets nothing, signed in or not', async () => {
  const local = await start();
  await record(local, said({ content: 'private-words' }));
  const { port } = new URL(local.url);
  const { chromium } = await import('playwright-core');
  const { CHROMIUM } = await import('./chromium.ts');
  const rebound = await chromium.launch({
    ...CHROMIUM,
    args: [...(CHROMIUM.args ?? []), '--host-resolver-rules=MAP evil.example 127.0.0.1'],
  });
  onTestFinished(() => rebound.close());
  const page = await rebound.newPage();
  for (const path of ['/', '/events', '/assets/list.js', '/v1/conversations', '/health']) {
    const response = await page.goto(`http://evil.example:${port}${path}`);
    expect(response?.status(), path).toBe(403);
    expect(await page.content()).not.toContain('private-words');
  }
  await page.goto(`http://evil.example:${port}/#${new URL(local.viewerUrl()).hash.slice(1)}`);
  expect(await page.context().cookies()).toEqual([]);
});

test('the policy of a page lets no script and no style in it run, however it got there', async () => {
  const local = await start();
  const page = await openViewer(local);
  const result = await page.evaluate(async () => {
    const tried: string[] = [];
    const script = document.createElement('script');
    try {
      script.textContent = 'window.pwned = 1';
    } catch {
      tried.push('text of a script');
    }
    document.body.append(script);
    try {
      document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.pwned = 1">');
    } catch {
      tried.push('markup of a text');
    }
    await new Promise(resolve => setTimeout(resolve, 200));
    return { tried, pwned: 'pwned' in window };
  });
  expect(result).toEqual({ tried: ['text of a script', 'markup of a text'], pwned: false });
  page.problems.length = 0;
});
