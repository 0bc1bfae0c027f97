import { html } from 'hono/html';
import type { Child } from 'hono/jsx';
import { HelpDialog } from './help-dialog.js';
import { Icon } from './icon.js';

export type Theme = 'light' | 'dark' | undefined;

export interface LayoutProps {
  title: string;
  /** What the reader chose; undefined follows the system. */
  theme: Theme;
  /** The script of the page, in assets. */
  script: 'plain' | 'sign-in' | 'list' | 'conversation';
  /** Marks what the page's style and script go by. */
  kind: 'plain' | 'list' | 'conversation';
  children: Child;
}

/** A page: its head, the bar at its top, and what is in it. */
export function Layout({ title, theme, script, kind, children }: LayoutProps) {
  return html`<!doctype html>${(
    <html lang="en" data-theme={theme} class={kind}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title}</title>
        <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/assets/viewer.css" />
        <script type="module" src={`/assets/${script}.js`}></script>
      </head>
      <body>
        <a class="skip" href="#main">
          Skip to the content
        </a>
        <header class="bar">
          <a class="brand" href="/">
            <Icon name="brand" /> Synap <span>on this machine</span>
          </a>
          {kind !== 'plain' && (
            <>
              <span class="live" id="live" data-state="off" role="status">
                <i></i>
                <span></span>
              </span>
              <button type="button" class="icon" id="help-open" aria-label="Keyboard shortcuts" title="Shortcuts (?)">
                <Icon name="keyboard" />
              </button>
            </>
          )}
          <button type="button" class="icon" id="theme" aria-label="Change the colours" title="Change the colours (t)">
            <Icon name="theme" />
          </button>
        </header>
        <main id="main">{children}</main>
        <div id="said" class="unseen" role="status" aria-live="polite"></div>
        {kind !== 'plain' && <HelpDialog />}
      </body>
    </html>
  )}`;
}
