import { Box } from "@chakra-ui/react";
import type { ReactNode } from "react";

type Props = {
  label: string;
  /** With a frame of its own, where no section is around it. */
  isFramed?: boolean;
  children: ReactNode;
};

/** Holds what may be too wide, such as a table: it scrolls in here, also by the keyboard. */
export function ScrollBox({ label, isFramed = false, children }: Props) {
  const frame = isFramed ? ({ borderWidth: "1px", borderRadius: "md" } as const) : {};
  return (
    <Box role="region" aria-label={label} tabIndex={0} overflowX="auto" maxW="full" {...frame}>
      {children}
    </Box>
  );
}
