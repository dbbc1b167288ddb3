import type { Response } from 'express';

/** A mail's own markup, apart from the site: no script, and its links leave the frame. */
const mailPolicy =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox allow-top-navigation-by-user-activation";

/** Answers with the HTML of a mail, which a page of this site may frame. */
export const sendMail = (res: Response, html: string): void => {
  // the page beside it may frame it; its own policy says so more exactly
  res.removeHeader('X-Frame-Options');
  res.set({ 'Content-Security-Policy': mailPolicy, 'Cache-Control': 'private, no-store' });
  res.type('html').send(html.replace(/<head[^>]*>/i, '$&<base target="_top">'));
};
