import { expect, it } from 'vitest';
import { customerComplaint } from '../../src/synap/customer-complaint.js';

it.each([
  ['customer_id must not be provided when user_context_isolation is equals_customer', 'refused', true],
  ["customer_id not allowed: user_context_isolation='equals_customer'", 'refused', true],
  ['customer_id cannot be passed on a B2C instance', 'refused', false],
  ['Do not pass customer_id, it is derived from the user', 'refused', false],
  ["This instance doesn't accept customer_id", 'refused', false],
  ['customerId: Extra inputs are not permitted', 'refused', false],
  ['unexpected field customer_id', 'refused', false],
  ['customer_id should be omitted', 'refused', false],
  ['remove customer_id', 'refused', false],
  ['customer_id must be null', 'refused', false],
  ['customer_id has to be empty on this instance', 'refused', false],
  ['customer_id is required', 'required', false],
  ['customer_id: Field required', 'required', false],
  ['missing customer_id', 'required', false],
  ['customer_id must not be empty', 'required', false],
  ['customer_id cannot be null', 'required', false],
  ['Please provide a customer_id', 'required', false],
  ["customer_id is required: pass the user's id", 'required', true],
  ['customer_id is required, use the user_id for it', 'required', true],
  ['customer_id must equal user_id', 'required', true],
  ['customer_id must match the user id', 'required', true],
  ['customer_id is required on instances with equals_customer', 'required', true],
  ['customer_id and user_id are required', 'required', false],
  ['user_id and customer_id are required', 'required', false],
  ['please send user_id and customer_id', 'required', false],
  ['pass user_id, customer_id and content', 'required', false],
  ['unknown customer_id', 'unclear', false],
  ['customer_id is invalid', 'unclear', false],
] as const)('%s: %s, the id of the user: %s', (words, kind, isUsers) => {
  expect(customerComplaint(words)).toEqual({ kind, isUsers });
});

it.each(['content is too long', 'the customer is unhappy', "customer_id is required: user_context_isolation='strict'"])(
  '%s is no complaint about it that could be healed',
  words => {
    expect(customerComplaint(words)).toBeUndefined();
  },
);

it('a field alone is one', () => {
  expect(customerComplaint('Invalid input', ['messages.3.customer_id'])).toEqual({ kind: 'unclear', isUsers: false });
  expect(customerComplaint('Invalid input', ['external_customer_id'])).toBeUndefined();
});
