import { Box, HStack, Link } from "@chakra-ui/react";
import { NavLink } from "react-router-dom";
import { useSay } from "~/words/useSay";
import { ROOT } from "./addresses";

const PAGES = [
  "deliveries",
  "workflows",
  "audiences",
  "templates",
  "opt-outs",
  "quarantine",
  "gateways",
] as const;

/** The way between our pages. */
export function Navigation() {
  const say = useSay();
  return (
    <Box as="nav" aria-label="smsflow" borderBottomWidth="1px" overflowX="auto">
      <HStack as="ul" gap={1} listStyleType="none">
        {PAGES.map((page) => (
          <li key={page}>
            <Link asChild variant="plain" px={3} py={2} whiteSpace="nowrap" css={CURRENT}>
              <NavLink to={`${ROOT}/${page}`}>{say(`navigation.${page}`)}</NavLink>
            </Link>
          </li>
        ))}
      </HStack>
    </Box>
  );
}

const CURRENT = {
  '&[aria-current="page"]': {
    fontWeight: "semibold",
    borderBottomWidth: "2px",
    borderColor: "colorPalette.solid",
  },
};
