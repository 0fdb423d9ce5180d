import { describe, expect, it } from 'vitest';
import { ComponentSample } from '../../src/search/component-sample.ts';
import { learnFrom } from '../../src/search/learn-calibration.ts';
import { gaussian } from './random.ts';

function sampleOf(count: number, vectorAt: (index: number) => ArrayLike<number>, metric: 'dot' | 'cosine') {
  const sample = new ComponentSample(metric);
  for (let index = 0; index < count; index++) sample.add(Float32Array.from(vectorAt(index)));
  return sample;
}

describe('ComponentSample', () => {
  it('cuts a normal distribution off at about four standard deviations, as is best for 255 steps', () => {
    const next = gaussian(3);
    const sample = sampleOf(2000, () => Array.from({ length: 40 }, () => next() * 0.5), 'dot');
    expect(learnFrom(sample).clip).toBeGreaterThan(0.5 * 3.4);
    expect(learnFrom(sample).clip).toBeLessThan(0.5 * 4.5);
  });

  it('keeps everything of a distribution without tails', () => {
    const sample = sampleOf(2000, (index) => [1, -1, (index % 200) / 100 - 1], 'dot');
    expect(learnFrom(sample).clip).toBeGreaterThan(0.97);
  });

  it('looks at directions only where the metric does', () => {
    const next = gaussian(4);
    const vectors = Array.from({ length: 1500 }, () => Array.from({ length: 64 }, next));
    const long = sampleOf(1500, (index) => vectors[index]!.map((each) => each * 1000), 'cosine');
    const short = sampleOf(1500, (index) => vectors[index]!, 'cosine');
    expect(learnFrom(long).clip).toBeCloseTo(learnFrom(short).clip, 5);
    expect(learnFrom(long).clip).toBeLessThan(1);
  });

  it('asks to be looked at early, then after twice as much each time, and then with every new sample', () => {
    const sample = new ComponentSample('dot');
    const looks: number[] = [];
    for (let count = 1; count <= 5000; count++) {
      sample.add(new Float32Array(16).fill(1));
      if (!sample.isDue) continue;
      looks.push(count);
      learnFrom(sample);
    }
    expect(looks).toEqual([32, 64, 128, 256, 512, 1024, 2048, 3072, 4096]);
  });

  it('forgets what came before what it has room for', () => {
    const sample = sampleOf(1024, () => new Float32Array(16).fill(9), 'dot');
    expect(learnFrom(sample).clip).toBe(9);
    for (let index = 0; index < 1024; index++) sample.add(new Float32Array(16).fill(2));
    expect(learnFrom(sample).clip).toBe(2);
  });
});
