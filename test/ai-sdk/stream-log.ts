import type { StreamListener } from '../../src/ai-sdk/follow-stream.js';

/** A listener that writes down what it hears, and the listeners that it was forked into. */
export class StreamLog implements StreamListener {
  readonly events: string[] = [];
  readonly forks: StreamLog[] = [];

  reading(): void {
    this.events.push('reading');
  }

  part(value: unknown): void {
    this.events.push(`part ${value}`);
  }

  done(): void {
    this.events.push('done');
  }

  failed(error: unknown): void {
    this.events.push(`failed ${error instanceof Error ? error.message : error}`);
  }

  released(): void {
    this.events.push('released');
  }

  left(): void {
    this.events.push('left');
  }

  fork(): StreamLog {
    this.events.push('fork');
    const fork = new StreamLog();
    this.forks.push(fork);
    return fork;
  }

  collected(): void {
    this.events.push('collected');
  }
}
