/** All built-in words that a person signing up can read. Plain text: B2C shows it as it is, on a block page or above the attributes. */
const MESSAGES = {
  'unreadable-body':
    'We could not read what was sent for your sign-up. Please try again. If it happens again, contact support and give them this code: {supportCode}',
  unavailable:
    'We cannot complete your sign-up at the moment. Please try again in a few minutes. If it happens again, contact support and give them this code: {supportCode}',
} as const;

export type MessageKey = keyof typeof MESSAGES;

export const messageText = (key: MessageKey, supportCode: string): string =>
  MESSAGES[key].replace('{supportCode}', supportCode);
