-- `notifications_by_customer` begins with the same columns.
DROP INDEX notifications_about_customer;
