/** What a refusal says of `customer_id`. */
export interface CustomerComplaint {
  /** `refused`: it must not be there. `required`: it must. `unclear`: it is named, and no more. */
  readonly kind: 'refused' | 'required' | 'unclear';
  /** The server's words say themselves that it is to be the user's id, which only a B2C instance wants. */
  readonly isUsers: boolean;
}

const NAMED = /customer[_ -]?id|user_context_isolation|equals_customer/i;
const IS_STRICT = /user_context_isolation['"]?\s?(?:=|:|is)?\s?['"]?strict/i;
const IS_B2C = /equals_customer/i;

// Each pattern is linear: what stands between two words is bounded.
const EMPTY = /\b(?:not be|cannot be|can't be|is) (?:an? )?(?:empty|null|none|blank|missing|absent)\b/i;
const REFUSED =
  /(?:\b(?:not|never|cannot)|n['’]t) (?:be )?(?:allow|permit|accept|support|expect|pass|sen[dt]|provid|includ|specif|set|use|given|give)|\b(?:must|should|has to) be (?:null|none|empty|blank|undefined|absent|unset)\b|\b(?:unexpected|extra|forbidden|refuse|reject|remove|omit|leave|prohibit|disallow|ignore|unknown field|unrecogni|not applicable|derived|resolved)/i;
const REQUIRED =
  /\b(?:required|requires?|missing|must be|must equal|needed|needs|provide|pass|send|include|supply|specify|expected|same as|match)\b/i;
const USERS =
  /\b(?:pass|use|set|send|supply|give|equals?|match(?:es)?|same as|identical to)\b[^.;]{0,30}?\buser(?:'s|s)?[_ -]?id\b(?!['"`]?\s{0,3}(?:,|and|or|&))/i;

/**
 * What a refusal says of `customer_id`; undefined where it is about something else, or comes from a B2B instance.
 *
 * @param words without what they quote of a message
 * @param fields names of fields on the wire that the server blames
 */
export function customerComplaint(words: string, fields: readonly string[] = []): CustomerComplaint | undefined {
  const isNamed = NAMED.test(words) || fields.some(field => /(?:^|\.)customer_?id$/i.test(field));
  if (!isNamed || IS_STRICT.test(words)) return undefined;
  // The name of the mode says "equals".
  const plain = words.replace(/equals_customer|user_context_isolation/gi, '');
  return { kind: kindOf(plain), isUsers: IS_B2C.test(words) || USERS.test(plain) };
}

function kindOf(words: string): CustomerComplaint['kind'] {
  if (EMPTY.test(words)) return 'required';
  if (REFUSED.test(words)) return 'refused';
  return REQUIRED.test(words) ? 'required' : 'unclear';
}
