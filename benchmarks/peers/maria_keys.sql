-- The other indexes and keys of the shop, a statement a line, what takes longest first. What
-- stands behind a blank line waits for all that stands before it.
ALTER TABLE order_lines ADD UNIQUE KEY order_lines_order_id_line_key (order_id, line), ADD KEY order_lines_product_id_idx (product_id);
ALTER TABLE orders ADD UNIQUE KEY orders_number_key (number), ADD KEY orders_customer_id_idx (customer_id), ADD KEY orders_placed_at_idx (placed_at);
ALTER TABLE customers ADD UNIQUE KEY customers_email_key (email), ADD KEY customers_last_name_first_name_idx (last_name, first_name), ADD KEY customers_country_id_idx (country_id);
ALTER TABLE events ADD KEY events_customer_id_at_idx (customer_id, at);
ALTER TABLE products ADD UNIQUE KEY products_sku_key (sku);

ALTER TABLE order_lines ADD CONSTRAINT order_lines_order FOREIGN KEY (order_id) REFERENCES orders (id), ADD CONSTRAINT order_lines_product FOREIGN KEY (product_id) REFERENCES products (id);
ALTER TABLE events ADD CONSTRAINT events_customer FOREIGN KEY (customer_id) REFERENCES customers (id);
ALTER TABLE orders ADD CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers (id);
ALTER TABLE customers ADD CONSTRAINT customers_country FOREIGN KEY (country_id) REFERENCES countries (id);

ANALYZE TABLE order_lines;
ANALYZE TABLE orders;
ANALYZE TABLE events;
ANALYZE TABLE customers;
ANALYZE TABLE products;
ANALYZE TABLE countries;
