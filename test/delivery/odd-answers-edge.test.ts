import { vi } from 'vitest';
import { oddAnswers } from './odd-answers.js';

// As where there is no Node.js: everything is sent by fetch.
vi.mock('#http', () => import('../../src/synap/http.edge.js'));

oddAnswers();
