import { describe, expect, it } from 'vitest';
import type { Device, Reason } from '../api/types';
import { going } from '../alerts/status';
import { qualityWords, shares } from '../alerts/shares';
import { columns, spanOf } from '../parts/chart';
import { alert, NOW } from '../testing';
import { causeWords } from './cause';
import { bandName, byNearness, figure, percent, plain, signalBars } from './number';
import { ago, hourMinuteSecond, span } from './time';

describe('times', () => {
  it.each([
    [0, '0 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [3_599_999, '59 min'],
    [3_600_000, '1 h'],
    [49 * 3_600_000, '2 days'],
    [-5000, '0 s'],
  ])('%d ms are %s', (ms, words) => {
    expect(span(ms)).toBe(words);
  });

  it('are never in the future', () => {
    expect(ago(NOW + 5000, NOW)).toBe('1 s ago');
    expect(ago(NOW - 2900, NOW)).toBe('2 s ago');
  });
});

describe('causes', () => {
  it('are said in words', () => {
    expect(causeWords('out_of_range').why).toBe('out of range');
    expect(causeWords('adapter_down')).toEqual(causeWords('adapter'));
  });

  it('are said as they came when nobody knows them', () => {
    expect(causeWords('solar_flare').why).toBe('solar flare');
    expect(causeWords(null).why).toBe('readings stopped');
  });
});

describe('numbers', () => {
  it('are as long as a person can use', () => {
    expect([percent(0.984), percent(1.2), percent(-1)]).toEqual(['98 %', '100 %', '0 %']);
    expect([figure(71.6, 0), figure(null, 1), figure(NaN, 1)]).toEqual(['72', '–', '–']);
  });

  it('carry the micro sign', () => {
    expect(plain('sweat up 3 uS in 4 minutes')).toBe('sweat up 3 µS in 4 minutes');
    expect(plain('sweat up 3 \u03bcS')).toBe('sweat up 3 µS');
    expect(plain('usually still')).toBe('usually still');
  });
});

describe('bands', () => {
  const band = (device: string, person: string | null, rssi: number | null) =>
    ({ device, person, rssi }) as Device;

  it('are named by what is printed on them', () => {
    expect(bandName('c0ffee00a1b2')).toBe('Band A1B2');
  });

  it('stand with the nearest free one on top', () => {
    const all = [
      band('worn', 'p-1', -40),
      band('far', null, -90),
      band('unheard', null, null),
      band('near', null, -50),
    ];
    expect(all.sort(byNearness).map((one) => one.device)).toEqual(['near', 'far', 'unheard', 'worn']);
  });

  it('have more bars the nearer they are', () => {
    expect([null, -95, -75, -65, -50].map((rssi) => signalBars(rssi).bars)).toEqual([0, 1, 2, 3, 4]);
  });
});

describe('who is going', () => {
  it('is said by the server', () => {
    const taken = alert({ acknowledgedBy: 'Sam', acknowledgedAt: NOW });
    const words = `Sam is going, ${hourMinuteSecond(NOW)}`;
    expect(going(taken, NOW + 5000, 'Priya')).toEqual({ words, unsent: false });
  });

  it('is said here as long as the server has not heard it', () => {
    expect(going(alert(), NOW, 'Priya')?.unsent).toBe(true);
    expect(going(alert(), undefined, 'Priya')).toBeNull();
  });
});

describe('why', () => {
  const reason = (text: string, contribution: number) => ({ text, contribution }) as Reason;

  it('names what weighs most first, with its share', () => {
    const weighed = shares([reason('little', 1), reason('against', -2), reason('much', 3)]);
    expect(weighed.map((one) => [one.reason.text, one.share])).toEqual([
      ['much', 0.75],
      ['little', 0.25],
      ['against', 0],
    ]);
  });

  it('says how good the data are', () => {
    expect(qualityWords(0.94)).toContain('Good data: 94 %');
    expect(qualityWords(0.7)).toContain('Fair');
    expect(qualityWords(0.3)).toContain('Look for yourself');
    expect(qualityWords(null)).toContain('not known');
  });
});

describe('a chart', () => {
  it('has a hole where data are missing', () => {
    const [times, values] = columns([
      [0, 1],
      [2000, 2],
      [62_000, 3],
    ]);
    expect(times).toEqual([0, 2, 32, 62]);
    expect(values).toEqual([1, 2, null, 3]);
  });

  it('is told to those who cannot see it', () => {
    expect(
      spanOf(
        [
          [0, 60],
          [1, 90],
          [2, 72],
          [3, null],
        ],
        0,
      ),
    ).toBe('from 60 to 90, now 72');
    expect(spanOf([], 0)).toBe('no readings');
  });
});
