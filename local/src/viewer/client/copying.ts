import { announce } from './markup.js';

/** Copies what an address answers, and says so on the button; where that is not possible, follows the link. */
export async function copyFrom(link: HTMLAnchorElement): Promise<void> {
  try {
    await writeText(fetchText(link.href));
    confirmCopy(link);
  } catch {
    location.assign(link.href);
  }
}

export async function copyText(text: string, button: HTMLElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    confirmCopy(button);
  } catch {
    announce('Copying is not allowed here');
  }
}

// Safari lets a page write to the clipboard only at once: so the text may come later.
async function writeText(text: Promise<string>): Promise<void> {
  const blob = text.then(text => new Blob([text], { type: 'text/plain' }));
  await navigator.clipboard.write([new ClipboardItem({ 'text/plain': blob })]);
}

async function fetchText(url: string): Promise<string> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.status}`);
  return await response.text();
}

const CONFIRMED_MS = 1500;

function confirmCopy(button: HTMLElement): void {
  button.dataset.copied = '';
  setTimeout(() => delete button.dataset.copied, CONFIRMED_MS);
  announce('Copied');
}
