// The main job, as a newcomer sees it: start the demonstration, watch the board, hear
// an alert, read why, go, and say what came of it.

import { AxeBuilder } from '@axe-core/playwright'
import { expect, test, type Page } from '@playwright/test'
import { House, picture, TALL, WIDE } from './house.ts'

let house: House
test.beforeAll(async () => {
  house = await House.open()
})
test.afterAll(async () => {
  await house?.close()
})

test('rising arousal rings on the tablets, somebody goes, and the house stops at Ctrl-C', async ({
  browser,
}) => {
  const sam = await house.tablet(browser, 'Sam', WIDE)
  const priya = await house.tablet(browser, 'Priya', TALL)
  for (const tablet of [sam, priya]) await tablet.getByTestId('chime').click()

  await test.step('six people, all of them seen, and the board moves', async () => {
    await expect(sam.getByTestId('card')).toHaveCount(6)
    await expect(sam.locator('[data-testid=card][data-level=no_reading]')).toHaveCount(0, {
      timeout: 150_000,
    })
    const before = await newest(sam)
    await expect.poll(() => newest(sam)).toBeGreaterThan(before + 2_000)
    await picture(sam, 'board-calm')
    await picture(priya, 'board-calm')
    await accessible(sam)
  })

  await test.step('within five minutes an alert rings, with its reasons', async () => {
    for (const tablet of [sam, priya]) {
      const banner = tablet.getByTestId('alert-banner').first()
      await expect(banner).toBeVisible({ timeout: 5 * 60_000 })
      await expect(tablet.locator('[data-sounding=true]')).toHaveCount(1)
      await picture(tablet, 'board-alert')
    }
    await accessible(sam)
    await sam.getByTestId('alert-open').first().click()
    const reasons = sam.getByTestId('reason')
    await expect(reasons.first()).toBeVisible()
    await expect(reasons.filter({ hasText: /\d/ }).first()).toBeVisible()
    await picture(sam, 'alert-open')
    await accessible(sam)
  })

  await test.step('Sam goes; Priya sees it, and her tablet is quiet', async () => {
    await sam.getByTestId('im-going').first().click()
    await expect(priya.getByTestId('going-by').first()).toHaveText(/Sam is going/, {
      timeout: 2_000,
    })
    await expect(priya.locator('[data-sounding=true]')).toHaveCount(0)
    await picture(sam, 'sam-is-going')
    await picture(priya, 'sam-is-going')
    await priya.getByTestId('alert-open').first().click()
    await picture(priya, 'alert-open')
  })

  await test.step('Sam says what came of it', async () => {
    await sam.getByTestId('resolve').first().click()
    await sam.getByTestId('outcome-calmed').click()
    await expect(priya.getByTestId('going-by')).toHaveCount(0)
  })

  await test.step('Ctrl-C stops everything cleanly', async () => {
    expect(await house.close()).toBe(0)
    await expect(fetch(`${house.address}/healthz`)).rejects.toThrow()
  })
})

/** The newest sample on the board, milliseconds UTC. */
async function newest(page: Page): Promise<number> {
  const times = await page
    .getByTestId('card')
    .evaluateAll((cards) => cards.map((card) => Number((card as HTMLElement).dataset.measuredAt)))
  return Math.max(...times)
}

async function accessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.map((violation) => `${violation.id}: ${violation.help}`)).toEqual([])
}
