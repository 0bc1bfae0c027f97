import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const FENCED = /^(```|~~~).*\n[\s\S]*?^\1\s*$/gm;
const INLINE_CODE = /`[^`\n]*`/g;
const LINK = /\]\(([^()\s]+)\)|\b(?:href|src|srcset)="([^"\s]+)"/g;

/**
 * @returns the links of a page that lead nowhere: to no file, or to no heading of the page they name. Links with a scheme
 *   are not looked at
 */
export function brokenLinks(page: string, text = readFileSync(page, 'utf8')): string[] {
  const prose = text.replace(FENCED, '').replace(INLINE_CODE, '');
  return [...prose.matchAll(LINK)]
    .map(([, markdown, html]) => markdown ?? html ?? '')
    .filter(link => !/^[a-z][a-z+.-]*:/i.test(link))
    .filter(link => !leadsSomewhere(link, page, text));
}

function leadsSomewhere(link: string, page: string, text: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? resolve(page) : join(dirname(page), decodeURI(path));
  if (path !== '' && !existsSync(target)) return false;
  if (anchor === undefined) return true;
  if (path !== '' && (statSync(target).isDirectory() || !target.endsWith('.md'))) return false;
  return anchorsOf(path === '' ? text : readFileSync(target, 'utf8')).has(anchor);
}

/** The anchors that GitHub gives to the headings of a page. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of text.replace(FENCED, '').matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = words.replace(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-');
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}
