const openai = require('@ai-sdk/openai');
const ai = require('ai');

import('../programs/cases.js').then(({ runCases }) => runCases(ai, openai));
