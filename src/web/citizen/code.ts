import type { Request, Response } from 'express';
import { AppError } from '../../errors.ts';
import type { CitizenDeps } from '../pages/deps.ts';
import type { Pages } from '../pages/page.ts';
import { field } from '../pages/request.ts';
import { comeIn } from './consent.ts';

/** A page that asks for a code: where it is sent, where a new one is asked for, and whether it adds an address to a person. */
export type CodeForm = { action: string; again: string; adds: boolean };

/** How long a form that was done and comes again (the back button) leads to where it led. */
export const didMs = 10 * 60_000;

/** Takes the code of a form and signs in whose it is; where it does not fit, shows the form again and answers false. */
export const takeCode =
  (deps: CitizenDeps, pages: Pages, form: CodeForm) =>
  async (req: Request, res: Response): Promise<boolean> => {
    const [phone, digits] = [field(req, 'phone'), field(req, 'code').replace(/\s/g, '')];
    const entered = `code ${phone} ${digits}`;
    const faults: Record<string, string> = {
      ...(phone === '' ? { phone: 'fault.phoneMissing' } : {}),
      ...(digits === '' ? { code: 'fault.codeMissing' } : {}),
    };
    const again = (): false => {
      pages.show(req, res, 'code', { ...form, typed: { phone, code: digits }, faults }, { status: 400 });
      return false;
    };
    if (Object.keys(faults).length > 0) return again();
    try {
      const { subscriber } = await deps.signUps.confirmCode(phone, digits);
      await comeIn(deps, pages, req, res, subscriber);
    } catch (error) {
      if (!(error instanceof AppError) || !['wrong-code', 'invalid', 'link-expired'].includes(error.code)) throw error;
      if (pages.recall(req, 'did') === entered && (await pages.person(req))) return true;
      faults.code = 'fault.code';
      return again();
    }
    pages.remember(res, 'waiting', '', 0);
    pages.remember(res, 'did', entered, didMs);
    return true;
  };
