import { listenToKeys } from './keys.js';
import { nextTheme, startTheme } from './theme.js';

startTheme();
listenToKeys({ t: nextTheme });
