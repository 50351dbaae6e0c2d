-- Student's t: quantiles computed to 40 digits elsewhere, by the inverse of the
-- regularised incomplete beta function.
local student = require "moondial.stats.student"
local near = require("spec.stats.support").near

local known = {
  { 0.9, 1, 6.31375151467504 },
  { 0.95, 1, 12.7062047361747 },
  { 0.95, 2, 4.30265272974946 },
  { 0.9, 3, 2.35336343480182 },
  { 0.95, 4, 2.77644510519779 },
  { 0.99, 5, 4.03214298355523 },
  { 0.95, 9, 2.26215716279821 },
  { 0.99, 19, 2.86093460646498 },
  { 0.95, 29, 2.0452296421327 },
  { 0.5, 7, 0.711141778081786 },
  { 0.999, 10, 4.58689385870264 },
  { 0.95, 99, 1.98421695158642 },
  { 0.99, 1000, 2.58075469806595 },
  { 0.95, 1000000, 1.95996635681411 },
  { 0.999999, 50, 5.57321724212171 },
  { 0.999999, 3, 130.15458955711 },
  { 0.999999, 1, 636619.77234875 },
  { 0.999999, 10000, 4.8946886163099 },
  { 0.01, 3, 0.0136040546910367 },
  { 0.95, 2.5, 3.57465484200368 },
  { 0.99, 17.3, 2.89202764112729 },
  { 0.99, 0.3, 1406890.343521 },
}

describe("Student's t", function()
  it("has the known quantiles, to 1e-9", function()
    for _, case in ipairs(known) do
      near(case[3], student.quantile(case[1], case[2]), 1e-9)
    end
  end)

  it("has a quantile that its own probability leads back to", function()
    for _, level in ipairs { 0.001, 0.1, 0.5, 0.8, 0.95, 0.999 } do
      for _, df in ipairs { 0.5, 1, 2, 3.7, 10, 100, 12345, 1e9 } do
        local t = student.quantile(level, df)
        near(1 - level, student.beyond(t, df), 1e-11)
      end
    end
  end)

  it("is the normal distribution in the end", function()
    near(1.95996398454005, student.quantile(0.95, 1e12), 1e-11)
    near(2.5758293035489, student.quantile(0.99, 1e12), 1e-11)
  end)
end)
