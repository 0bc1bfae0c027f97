// Which Chromium the browser tests start, and how.

import type { LaunchOptions } from 'playwright-core';

/** Debian's Chromium, or another one that `CHROMIUM` names. */
export const CHROMIUM: LaunchOptions = {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  // A container has no sandbox of Chromium's own, and needs no news from its makers.
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
};
