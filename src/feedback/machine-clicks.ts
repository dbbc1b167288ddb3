/** **visit**: one request for a link of a message. `link` names it within the message: `kind` or `kind item`. `at` in ms. */
export type LinkVisit = { message: string; link: string; head: boolean; at: number };
