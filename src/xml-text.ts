// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what XML 1.0 section 2.2 has no place for
const notInXml = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g;
const halfCharacter = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

/** A text whose half characters are replaced: neither UTF-8 nor an address can hold them. */
export const wellFormed = (text: string): string => text.replace(halfCharacter, '\uFFFD');

/** A text as XML can hold it: without the control characters that no escape brings in, and without half characters. */
export const xmlText = (text: string): string => wellFormed(text.replace(notInXml, ''));
