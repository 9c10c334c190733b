# Instants and remaining time (CL-04).
# $hours (Number) - Whole hours left.
# $minutes (String) - Minutes left, two digits.
time-hours-minutes = { $hours } h { $minutes } min
# $minutes (Number) - Minutes left, 1 to 59.
time-minutes = { $minutes } min
# $days (Number) - Whole days left.
# $hours (Number) - Hours beyond them.
time-days-hours = { $days } d { $hours } h
time-less-than-a-minute = less than 1 min
time-yesterday = Yesterday
# $date (String) - A date such as "23 Nov".
# $time (String) - A time such as "09:00".
time-date-at-time = { $date } at { $time }
# $day (Number) - Day of the month.
# $month (String) - The month's short name.
time-day-month = { $day } { $month }
# $day (Number) - Day of the month.
# $month (String) - The month's short name.
# $year (String) - The year, four digits.
time-day-month-year = { $day } { $month } { $year }
time-jan = Jan
time-feb = Feb
time-mar = Mar
time-apr = Apr
time-may = May
time-jun = Jun
time-jul = Jul
time-aug = Aug
time-sep = Sep
time-oct = Oct
time-nov = Nov
time-dec = Dec
time-mon = Mon
time-tue = Tue
time-wed = Wed
time-thu = Thu
time-fri = Fri
time-sat = Sat
time-sun = Sun
