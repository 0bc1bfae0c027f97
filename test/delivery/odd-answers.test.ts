import { oddAnswers } from './odd-answers.js';

oddAnswers();
