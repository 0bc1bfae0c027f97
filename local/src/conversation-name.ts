import { isUuid } from 'synap-recorder/wire';
import { v5 as uuidv5 } from 'uuid';

/**
 * The conversation that an id stands for: a UUID is its own; any other text becomes one by the service's recipe, the same
 * on every machine.
 */
export function conversationNamed(id: string): string {
  return isUuid(id) ? id.toLowerCase() : uuidv5(id, uuidv5.URL);
}
