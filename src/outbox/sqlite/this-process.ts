import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Where a process runs. */
export interface ProcessPlace {
  /** The kernel: containers on one machine share it, and with it the locks on a file. */
  readonly kernel: string;
  /** Within which `pid` means this process: in each container the first one is 1. */
  readonly namespace: string;
  readonly pid: number;
}

let here: ProcessPlace | undefined;
let isRead = false;

/** Where this process runs; undefined where that is not told. */
export function thisProcess(): ProcessPlace | undefined {
  if (!isRead) {
    isRead = true;
    here = read();
  }
  return here;
}

function read(): ProcessPlace | undefined {
  const { pid, platform } = process;
  try {
    if (platform !== 'linux') return { kernel: `${platform} ${hostname()}`, namespace: '', pid };
    // A host name is no name of a kernel: each container has one of its own, and several may have the same.
    const kernel = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return { kernel, namespace: readlinkSync('/proc/self/ns/pid'), pid };
  } catch {
    return undefined;
  }
}

/** Whether a process of this namespace runs; one that has ended, and whose parent has not asked for it yet, does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return true;
  }
}
