import { type SlotName, type Slots, slotPattern } from './channel.ts';

const htmlEscapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Escapes for HTML text and quoted attributes. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (sign) => htmlEscapes[sign] ?? sign);

/** Puts the person's values in the marks, each through `encode`. */
export const fillSlots = (text: string, slots: Slots, encode: (value: string) => string = (value) => value): string =>
  text.replace(slotPattern, (_mark, name: SlotName) => encode(slots[name]));
