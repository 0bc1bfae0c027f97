import tracer from 'dd-trace';
import { nameOf, trees } from './trees.js';

// DD_TRACE_EXPERIMENTAL_EXPORTER=log writes the spans to the standard output.
const spans = [];
const write = process.stdout.write;
process.stdout.write = function (chunk, ...rest) {
  if (!String(chunk).startsWith('{"traces":')) return write.call(this, chunk, ...rest);
  for (const trace of JSON.parse(chunk).traces)
    for (const { span_id, parent_id, name, resource, error, meta } of trace)
      spans.push({
        id: span_id,
        parent: parent_id,
        name: nameOf(name === resource ? name : `${name} ${resource}`, meta),
        failed: error > 0,
      });
  return true;
};

globalThis.neighbour = {
  inCase: (name, fn) => tracer.trace(`case ${name}`, fn),
  spans: () => trees(spans),
};
