import { byId } from './markup.js';

const STATES = { off: '', connecting: 'Connecting', live: 'Live', waiting: 'Reconnecting' } as const;

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;
// A tab out of sight gives its connection back, of which a browser has six for one server.
const HIDDEN_MS = 5000;

export interface LiveOptions {
  url: string;
  /** Where to begin: a `seq`. */
  seq: number;
  on: Record<string, (data: string) => void>;
}

/** Listens to the server's events, and resumes where it stopped after a pause, a lost connection or a restart. */
export function listen({ url, seq, on }: LiveOptions): void {
  let source: EventSource | undefined;
  let retryMs = FIRST_RETRY_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function open(): void {
    clearTimeout(timer);
    source?.close();
    show('connecting');
    const address = new URL(url, location.href);
    address.searchParams.set('after', String(seq));
    source = new EventSource(address);
    source.onopen = () => {
      retryMs = FIRST_RETRY_MS;
      show('live');
    };
    source.onerror = () => {
      show('waiting');
      // The browser tries again by itself, unless the server has answered with something else.
      if (source?.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(open, retryMs);
      retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 2);
    };
    for (const [name, act] of Object.entries(on))
      source.addEventListener(name, event => {
        seq = Math.max(seq, Number(event.lastEventId));
        act(String(event.data));
      });
  }

  function close(): void {
    clearTimeout(timer);
    source?.close();
    source = undefined;
    show('off');
  }

  document.addEventListener('visibilitychange', () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(close, HIDDEN_MS);
    else if (source === undefined || source.readyState === EventSource.CLOSED) open();
  });
  // A page that a browser keeps for "back" must not keep a connection open, and gets no events.
  addEventListener('pagehide', close);
  addEventListener('pageshow', event => {
    if (event.persisted) open();
  });
  open();
}

function show(state: keyof typeof STATES): void {
  const sign = byId('live');
  const text = sign?.querySelector('span');
  if (!sign || !text) return;
  sign.dataset.state = state;
  text.textContent = STATES[state];
}
