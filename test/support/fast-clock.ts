// Loaded before a program with `--import`: its time goes by ten times as fast, for timers as for those who read a clock.

import { syncBuiltinESMExports } from 'node:module';
import { performance } from 'node:perf_hooks';
import timers from 'node:timers/promises';

const FASTER = 10;

const { setTimeout, setInterval } = globalThis;
const realSleep = timers.setTimeout;
const realTimeout = AbortSignal.timeout;
const realNow = performance.now.bind(performance);
const [began, beganAt] = [Date.now(), realNow()];

Object.assign(globalThis, {
  setTimeout: Object.assign(
    (callback: () => void, ms = 0, ...rest: []) => setTimeout(callback, ms / FASTER, ...rest),
    setTimeout,
  ),
  setInterval: (callback: () => void, ms = 0, ...rest: []) => setInterval(callback, ms / FASTER, ...rest),
});
performance.now = () => FASTER * realNow();
Date.now = () => began + FASTER * (realNow() - beganAt);
AbortSignal.timeout = ms => realTimeout(Math.ceil(ms / FASTER));
timers.setTimeout = ((ms = 0, ...rest: []) => realSleep(ms / FASTER, ...rest)) as typeof timers.setTimeout;
syncBuiltinESMExports();
