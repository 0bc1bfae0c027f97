#!/usr/bin/env node
import { nodeProblem } from 'synap-recorder/cli';

// An older Node fails on the first import of node:sqlite, so nothing that leads there is imported before this check.
const problem = nodeProblem(process.versions.node, 'synap-recorder-local');
if (problem === undefined) {
  const { run } = await import('./program.js');
  process.exitCode = await run(process.argv);
} else {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
}
