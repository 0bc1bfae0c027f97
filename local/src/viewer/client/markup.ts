interface TrustedTypes {
  createPolicy(name: string, rules: { createHTML(html: string): string }): { createHTML(html: string): string };
}

// Browsers that know Trusted Types make markup of nothing but what this policy has passed: see the page's
// Content-Security-Policy. What passes it was written by the server, which has escaped what it quotes.
const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
const policy = trustedTypes?.createPolicy('viewer', { createHTML: html => html });

/** The elements that the server has sent as HTML. */
export function elementsOf(html: string): HTMLElement[] {
  const template = document.createElement('template');
  template.innerHTML = policy === undefined ? html : policy.createHTML(html);
  return [...template.content.children].filter(element => element instanceof HTMLElement);
}

/** The page behind an address of this server, as elements that are not shown and do nothing. */
export async function fetchPage(url: string): Promise<HTMLElement | undefined> {
  const response = await fetch(url, { headers: { accept: 'text/html' } });
  if (!response.ok) return undefined;
  const holder = document.createElement('div');
  const inert = document.implementation.createHTMLDocument();
  inert.adoptNode(holder);
  holder.append(...elementsOf(await response.text()));
  return holder;
}

export function byId<T extends HTMLElement>(id: string): T | undefined {
  return (document.getElementById(id) as T | null) ?? undefined;
}

/** Says something to those who don't see the page. */
export function announce(text: string): void {
  const said = byId('said');
  if (said) said.textContent = text;
}
