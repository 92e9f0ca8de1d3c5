// How long a sample takes to a carer's eyes: signs in to a running house in Chromium,
// watches the board, and prints a line for each newest sample that a card has painted:
// milliseconds from its measurement to the frame that shows it.
//
//   TIDEWATCH_PASSWORD=... node tests/browser/screen.mjs http://127.0.0.1:8080 NAME CARDS SECONDS

import { chromium } from '@playwright/test'
import { chromium as debian } from './chromium.mjs'

const [address, name, cards, seconds] = process.argv.slice(2)
const password = process.env.TIDEWATCH_PASSWORD
if (!address || !name || !password || !(Number(cards) > 0) || !(Number(seconds) > 0)) {
  console.error('usage: TIDEWATCH_PASSWORD=... node screen.mjs ADDRESS NAME CARDS SECONDS')
  process.exit(2)
}

const browser = await chromium.launch(debian)
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  await page.goto(address)
  await page.getByTestId('sign-in-name').fill(name)
  await page.getByTestId('sign-in-password').fill(password)
  await page.getByTestId('sign-in-submit').click()
  await page.getByTestId('card').nth(Number(cards) - 1).waitFor()
  const painted = await page.evaluate(delays, Number(seconds) * 1000)
  process.stdout.write(painted.join('\n') + '\n')
} finally {
  await browser.close()
}

/** In the page: a card stamps, in the frame that paints it, its newest sample and that frame's time. */
async function delays(/** @type {number} */ milliseconds) {
  /** @type {number[]} */
  const found = []
  const watch = new MutationObserver((changes) => {
    for (const { target } of changes) {
      const { measuredAt, renderedAt } = /** @type {HTMLElement} */ (target).dataset
      if (measuredAt) found.push(Number(renderedAt) - Number(measuredAt))
    }
  })
  watch.observe(document.body, { subtree: true, attributeFilter: ['data-rendered-at'] })
  await new Promise((done) => setTimeout(done, milliseconds))
  watch.disconnect()
  return found
}
