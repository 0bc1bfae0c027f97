// Lets a program have the old line of LangChain that is installed here: `node --import <this file> program.ts`.
import { registerHooks } from 'node:module';

const parentURL = new URL('package.json', import.meta.url).href;

registerHooks({
  resolve: (name, context, next) => next(name, name.startsWith('@langchain/') ? { ...context, parentURL } : context),
});
