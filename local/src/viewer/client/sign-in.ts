import './plain.js';
import { byId } from './markup.js';
import { handInToken } from './session.js';

async function signIn(): Promise<void> {
  const accepted = await handInToken();
  if (accepted === false) {
    const state = byId('sign-in-state');
    if (state)
      state.textContent =
        'This link was used before, or is of an earlier start. Press Enter where synap-recorder-local runs: it prints another one.';
    return;
  }
  // A link on another site's page brought the reader here without the cookie, which is for our own pages only.
  if (accepted === true || (await isSignedIn())) location.replace(location.pathname + location.search);
}

async function isSignedIn(): Promise<boolean> {
  return (await fetch('/known/user?text=', { headers: { accept: 'application/json' } })).ok;
}

// A link that is opened where this page is shown already changes nothing but the fragment.
addEventListener('hashchange', () => void signIn());
void signIn();
