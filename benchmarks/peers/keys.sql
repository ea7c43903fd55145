-- The indexes and keys of the shop, a statement a line, what takes longest first. What
-- stands behind a blank line waits for all that stands before it.
CREATE UNIQUE INDEX order_lines_order_id_line_key ON order_lines (order_id, line);
CREATE UNIQUE INDEX order_lines_pkey ON order_lines (id);
CREATE INDEX order_lines_product_id_idx ON order_lines (product_id);
CREATE UNIQUE INDEX orders_number_key ON orders (number);
CREATE INDEX events_customer_id_at_idx ON events (customer_id, at);
CREATE UNIQUE INDEX customers_email_key ON customers (email);
CREATE INDEX customers_last_name_first_name_idx ON customers (last_name, first_name);
CREATE INDEX orders_customer_id_idx ON orders (customer_id);
CREATE INDEX orders_placed_at_idx ON orders (placed_at);
CREATE UNIQUE INDEX orders_pkey ON orders (id);
CREATE UNIQUE INDEX events_pkey ON events (id);
CREATE UNIQUE INDEX customers_pkey ON customers (id);
CREATE INDEX customers_country_id_idx ON customers (country_id);
CREATE UNIQUE INDEX products_pkey ON products (id);
CREATE UNIQUE INDEX products_sku_key ON products (sku);
CREATE UNIQUE INDEX countries_pkey ON countries (id);

ALTER TABLE order_lines ADD PRIMARY KEY USING INDEX order_lines_pkey, ADD UNIQUE USING INDEX order_lines_order_id_line_key;
ALTER TABLE orders ADD PRIMARY KEY USING INDEX orders_pkey, ADD UNIQUE USING INDEX orders_number_key;
ALTER TABLE events ADD PRIMARY KEY USING INDEX events_pkey;
ALTER TABLE customers ADD PRIMARY KEY USING INDEX customers_pkey, ADD UNIQUE USING INDEX customers_email_key;
ALTER TABLE products ADD PRIMARY KEY USING INDEX products_pkey, ADD UNIQUE USING INDEX products_sku_key;
ALTER TABLE countries ADD PRIMARY KEY USING INDEX countries_pkey;

ALTER TABLE order_lines ADD FOREIGN KEY (order_id) REFERENCES orders;
ALTER TABLE events ADD FOREIGN KEY (customer_id) REFERENCES customers;
ALTER TABLE order_lines ADD FOREIGN KEY (product_id) REFERENCES products;
ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers;
ALTER TABLE customers ADD FOREIGN KEY (country_id) REFERENCES countries;

ANALYZE order_lines;
ANALYZE orders;
ANALYZE events;
ANALYZE customers;
ANALYZE products;
ANALYZE countries;
