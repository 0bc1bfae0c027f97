import { type Keys, listenToKeys } from './keys.js';
import { byId } from './markup.js';
import { handInToken } from './session.js';
import { nextTheme, startTheme } from './theme.js';
import { keepTimes } from './times.js';

/** What every page of transcripts has: colours, times, keys and their help. */
export function startPage(keys: Keys): void {
  startTheme();
  keepTimes();
  const help = byId<HTMLDialogElement>('help');
  const openHelp = () => help?.showModal();
  byId('help-open')?.addEventListener('click', openHelp);
  listenToKeys({ '?': openHelp, t: nextTheme, ...keys });
  // A link for signing in that was opened once more: its token is used up, and leaves the address.
  addEventListener('hashchange', () => void handInToken());
  void handInToken();
}
