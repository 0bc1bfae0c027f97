import MarkdownIt, { type MarkdownIt as Markdown } from 'markdown-it';

// A longer text is shown as it was written: some texts take Markdown quadratic time.
const MAX_CHARACTERS = 32 * 1024;
// The time for all messages of a page together. The rest of them is shown as it was written.
const MAX_PAGE_MS = 400;

const LINK_ATTRIBUTES = 'rel="noopener noreferrer nofollow" target="_blank"';

/** An answer, in Markdown. HTML in it is text, a link leads to the web or to a mailbox, and an image is a link. */
const answers = restricted(new MarkdownIt({ html: false, linkify: true, breaks: true }));

/** What a person typed: stars and hashes are stars and hashes, but code and addresses are what they look like. */
const prompts = restricted(
  new MarkdownIt('zero', { html: false, linkify: true, breaks: true }).enable([
    'fence',
    'backticks',
    'newline',
    'linkify',
  ]),
);

/** Sets the texts of one page. */
export class Typesetter {
  #spentMs = 0;

  /** A message's text as HTML that is safe to show. */
  html(role: 'user' | 'assistant', content: string): string {
    const markdown = role === 'assistant' ? answers : prompts;
    if (content.length > MAX_CHARACTERS || this.#spentMs > MAX_PAGE_MS)
      return `<div class="plain">${markdown.utils.escapeHtml(content)}</div>`;
    const begun = performance.now();
    const html = markdown.render(content);
    this.#spentMs += performance.now() - begun;
    return html;
  }
}

/** @returns whether a link of a transcript may lead there */
function isSafeLink(url: string): boolean {
  return /^(https?:\/\/|mailto:)/i.test(url);
}

function restricted(md: Markdown): Markdown {
  // Without a scheme, "readme.md" would be a link to Moldova.
  md.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
  md.validateLink = isSafeLink;
  const { rules } = md.renderer;
  const { escapeHtml } = md.utils;

  rules.link_open = (tokens, index) => {
    const href = String(tokens[index]?.attrGet('href') ?? '');
    return `<a href="${escapeHtml(href)}" ${LINK_ATTRIBUTES}>`;
  };

  // Loading the image would show its server that the message was read.
  rules.image = (tokens, index) => {
    const token = tokens[index];
    const label = `Image: ${token?.content || 'without a description'}`;
    const insideLink = tokens.slice(0, index).reduce((open, { type }) => open + (LINK_DEPTH[type] ?? 0), 0) > 0;
    const source = String(token?.attrGet('src') ?? '');
    if (insideLink || !isSafeLink(source)) return `<span class="image">${escapeHtml(label)}</span>`;
    return `<a class="image" href="${escapeHtml(source)}" ${LINK_ATTRIBUTES}>${escapeHtml(label)}</a>`;
  };

  const code = (content: string, language: string) =>
    `<figure class="code"><figcaption>${escapeHtml(language || 'code')}</figcaption>` +
    `<pre tabindex="0"><code>${escapeHtml(content)}</code></pre></figure>\n`;
  rules.fence = (tokens, index) => {
    const [language = ''] = (tokens[index]?.info ?? '').trim().split(/\s+/);
    return code(tokens[index]?.content ?? '', md.utils.unescapeAll(language).slice(0, 40));
  };
  rules.code_block = (tokens, index) => code(tokens[index]?.content ?? '', '');

  // The page has a heading of its own, and the page's policy forbids style attributes.
  for (const rule of ['heading_open', 'heading_close'] as const)
    rules[rule] = (tokens, index) => {
      const level = Math.min(6, Number(tokens[index]?.tag.slice(1)) + 1);
      return rule === 'heading_open' ? `<h${level}>` : `</h${level}>\n`;
    };
  for (const tag of ['th', 'td'])
    rules[`${tag}_open`] = (tokens, index) => {
      const [, side] = /^text-align:(left|center|right)$/.exec(String(tokens[index]?.attrGet('style') ?? '')) ?? [];
      return side === undefined ? `<${tag}>` : `<${tag} class="${side}">`;
    };
  rules.table_open = () => '<div class="table" tabindex="0"><table>\n';
  rules.table_close = () => '</table></div>\n';
  return md;
}

const LINK_DEPTH: Record<string, number> = { link_open: 1, link_close: -1 };
